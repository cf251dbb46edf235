"""What a codex model is called in transformers: the `config.json` and
`tokenizer_config.json` that make a checkpoint open there.

A Llama with QK-norm is transformers' `qwen3`, one without is its `llama`; the weights already carry their names.
The way back is `foreign.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex.errors import UsageError

if TYPE_CHECKING:
    from codex.models.llama import ModelConfig

__all__ = ["require_expressible", "tensor_shapes", "tokenizer_config", "transformers_config"]

#: The keys of `config.model` that the `config.json` below says.
_EXPRESSED = frozenset(
    {"name", "width", "layers", "heads", "key_value_heads", "context", "feed_forward_width", "tie_embeddings"}
    | {"qk_norm", "rope_theta", "norm_epsilon"}
)

#: Keys without effect once training is over.
_TRAINING_ONLY = frozenset({"dropout"})


def require_expressible(model: Mapping[str, Any]) -> None:
    """Refuse a model with an option that no architecture in transformers has.

    Args:
        model: the section `model` as a run recorded it; an option that is null, false or 0 is off.
    Raises:
        UsageError: naming the option.

    >>> require_expressible({"name": "llama", "window": 128})
    Traceback (most recent call last):
    codex.errors.UsageError: `model.window` is 128, which no architecture in transformers has
    """
    if model.get("name") != "llama":
        raise UsageError(f"`model.name` is {model.get('name')!r}, which no architecture in transformers is")
    for key, value in model.items():
        if key not in _EXPRESSED | _TRAINING_ONLY and value:
            raise UsageError(
                f"`model.{key}` is {value!r}, which no architecture in transformers has",
                hint="`--to safetensors` writes the weights alone",
            )


def transformers_config(
    config: ModelConfig, vocabulary_size: int, end_of_document_id: int, dtype: str = "float32"
) -> dict[str, Any]:
    """The content of `config.json`.

    Args:
        config: `config.model`.
        vocabulary_size: rows of the embedding.
        end_of_document_id: the token that ends, and so also starts, every document.
        dtype: what the weights are stored as, in torch's words.

    >>> from types import SimpleNamespace
    >>> sizes = dict(width=8, layers=1, heads=2, key_value_heads=2, context=4, feed_forward_width=8)
    >>> rest = dict(tie_embeddings=True, qk_norm=True, rope_theta=1e4, norm_epsilon=1e-6)
    >>> transformers_config(SimpleNamespace(name="llama", **sizes, **rest), 16, 0)["model_type"]
    'qwen3'
    """
    kind = "qwen3" if config.qk_norm else "llama"
    return {
        "architectures": ["Qwen3ForCausalLM" if config.qk_norm else "LlamaForCausalLM"],
        "model_type": kind,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": end_of_document_id,
        "eos_token_id": end_of_document_id,
        "head_dim": config.width // config.heads,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "initializer_range": 0.02,
        "intermediate_size": config.feed_forward_width,
        "max_position_embeddings": config.context,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.key_value_heads,
        "pad_token_id": None,
        "rms_norm_eps": config.norm_epsilon,
        "rope_parameters": {"rope_theta": config.rope_theta, "rope_type": "default"},
        "tie_word_embeddings": config.tie_embeddings,
        "dtype": dtype,
        "use_cache": True,
        "vocab_size": vocabulary_size,
        **({"mlp_bias": False} if kind == "llama" else {"use_sliding_window": False}),
    }


def tokenizer_config(context: int) -> dict[str, Any]:
    """The content of `tokenizer_config.json`: take `tokenizer.json` as it is.

    Without it transformers would put the pre-tokenizer of Qwen in the place of ours.

    >>> tokenizer_config(256)["model_max_length"]
    256
    """
    end = "<|endoftext|>"
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end,
        "eos_token": end,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }


def tensor_shapes(config: ModelConfig, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of the model; a test holds them to the modules.

    >>> from codex.config.schema import Model
    >>> shapes = tensor_shapes(Model(width=8, layers=1, heads=1, key_value_heads=1), 300)
    >>> shapes["model.embed_tokens.weight"], len(shapes)
    ((300, 8), 13)
    """
    width, head_size = config.width, config.width // config.heads
    queries, keys = config.heads * head_size, config.key_value_heads * head_size
    layer: dict[str, tuple[int, ...]] = {
        "input_layernorm": (width,),
        "self_attn.q_proj": (queries, width),
        "self_attn.k_proj": (keys, width),
        "self_attn.v_proj": (keys, width),
        "self_attn.o_proj": (width, queries),
        **({"self_attn.q_norm": (head_size,), "self_attn.k_norm": (head_size,)} if config.qk_norm else {}),
        "post_attention_layernorm": (width,),
        "mlp.gate_proj": (config.feed_forward_width, width),
        "mlp.up_proj": (config.feed_forward_width, width),
        "mlp.down_proj": (width, config.feed_forward_width),
    }
    return {
        "model.embed_tokens.weight": (vocabulary_size, width),
        "model.norm.weight": (width,),
        **({} if config.tie_embeddings else {"lm_head.weight": (vocabulary_size, width)}),
        **{
            f"model.layers.{n}.{name}.weight": shape
            for n in range(config.layers)
            for name, shape in layer.items()
        },
    }
