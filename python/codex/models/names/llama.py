"""Llama as transformers spells it: with QK-norm it is `qwen3` there, without it `llama`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex.errors import DataError
from codex.models.names.reading import check_keys, number, require

if TYPE_CHECKING:
    from codex.models.causal import ModelConfig

__all__ = ["EMBEDDING", "EXPRESSED", "MODEL_TYPES", "config", "known_name", "section", "tensor_shapes"]

#: `model_type` -> the class of it.
MODEL_TYPES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}

EMBEDDING = "model.embed_tokens.weight"

#: The keys of `config.model` that `config` says.
EXPRESSED = frozenset(
    {"name", "width", "layers", "heads", "key_value_heads", "context", "feed_forward_width", "tie_embeddings"}
    | {"qk_norm", "rope_theta", "norm_epsilon"}
)

#: Theirs -> ours.
_SIZES = {
    "hidden_size": "width",
    "num_hidden_layers": "layers",
    "num_attention_heads": "heads",
    "num_key_value_heads": "key_value_heads",
    "max_position_embeddings": "context",
    "intermediate_size": "feed_forward_width",
    "rms_norm_eps": "norm_epsilon",
}

#: What a codex model always is: no other value of these can be expressed.
_FIXED: dict[str, Any] = {
    "attention_bias": False,
    "hidden_act": "silu",
    "is_encoder_decoder": False,
    "mlp_bias": False,
    "partial_rotary_factor": 1.0,
    "pretraining_tp": 1,
    "quantization_config": None,
    "rope_scaling": None,
    "use_sliding_window": False,
}

#: Read below, or without effect where the window is off.
_READ = frozenset(
    {"attention_dropout", "head_dim", "layer_types", "max_window_layers", "rope_parameters", "rope_theta"}
    | {"sliding_window", "tie_word_embeddings", "vocab_size"}
    | _SIZES.keys()
)


def config(config: ModelConfig) -> dict[str, Any]:
    """What `config.json` says of this architecture alone."""
    kind = "qwen3" if config.qk_norm else "llama"
    return {
        "architectures": [MODEL_TYPES[kind]],
        "model_type": kind,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "head_dim": config.width // config.heads,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward_width,
        "max_position_embeddings": config.context,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.key_value_heads,
        "rms_norm_eps": config.norm_epsilon,
        "rope_parameters": {"rope_theta": config.rope_theta, "rope_type": "default"},
        **({"mlp_bias": False} if kind == "llama" else {"use_sliding_window": False}),
    }


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight but the embedding and the head."""
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
    layers = {
        f"model.layers.{n}.{name}.weight": shape
        for n in range(config.layers)
        for name, shape in layer.items()
    }
    return {"model.norm.weight": (width,), **layers}


def known_name(name: str) -> str | None:
    """None for the frequencies of the rotary positions, which old folders hold."""
    return None if name.endswith("rotary_emb.inv_freq") else name


def section(named: Mapping[str, Any]) -> dict[str, Any]:
    """The section `model` that `config.json` means.

    Raises:
        DataError: naming the key that cannot be expressed, or that is missing.
    """
    kind = check_keys(named, model_types=MODEL_TYPES, fixed=_FIXED, read=_READ)
    for index, layer in enumerate(named.get("layer_types") or ()):
        require(f"layer_types[{index}]", layer, "full_attention")
    # in a Llama, key-value heads that are not given are as many as heads
    defaults = {"num_key_value_heads": named.get("num_attention_heads")} if kind == "llama" else {}
    sizes = {ours: number(named, theirs, defaults.get(theirs)) for theirs, ours in _SIZES.items()}
    width, heads = sizes["width"], sizes["heads"]
    head_size = named.get("head_dim") or (width // heads if kind == "llama" else 128)
    require("head_dim", head_size, width // heads)
    return {
        "name": "llama",
        **sizes,
        "tie_embeddings": named.get("tie_word_embeddings", False),
        "qk_norm": kind == "qwen3",
        "rope_theta": float(_rope_theta(named)),
    }


def _rope_theta(named: Mapping[str, Any]) -> Any:
    """Given in `rope_parameters` since transformers 5, on its own before; 10,000 where it is not given."""
    rope = named.get("rope_parameters") or {}
    if not isinstance(rope, Mapping):
        raise DataError(f"`rope_parameters` is {rope!r:.60}, expected an object")
    for key, value in rope.items():
        if key == "rope_type":
            require("rope_parameters.rope_type", value, "default")
        elif key != "rope_theta":
            raise DataError(f"`rope_parameters.{key}` is {value!r:.60}, which a codex model cannot express")
    theta = rope.get("rope_theta", named.get("rope_theta", 10_000.0))
    if not isinstance(theta, int | float) or isinstance(theta, bool):
        raise DataError(f"`rope_theta` is {theta!r:.60}, expected a number")
    return theta
