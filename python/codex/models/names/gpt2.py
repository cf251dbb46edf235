"""GPT-2 as transformers spells it; its matrices lie the other way round there, (in, out), and so they do here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codex.models.names.reading import check_keys, number

if TYPE_CHECKING:
    from codex.models.causal import ModelConfig

__all__ = ["EMBEDDING", "EXPRESSED", "MODEL_TYPES", "config", "known_name", "section", "tensor_shapes"]

#: `model_type` -> the class of it.
MODEL_TYPES = {"gpt2": "GPT2LMHeadModel"}

EMBEDDING = "transformer.wte.weight"

#: The keys of `config.model` that `config` says, or that can have one value only in a GPT-2.
EXPRESSED = frozenset(
    {"name", "width", "layers", "heads", "key_value_heads", "context", "feed_forward_width", "tie_embeddings"}
    | {"norm_epsilon", "rope_theta"}
)

#: Theirs -> ours.
_SIZES = {
    "n_embd": "width",
    "n_layer": "layers",
    "n_head": "heads",
    "n_positions": "context",
    "layer_norm_epsilon": "norm_epsilon",
}

#: What a codex model always is: no other value of these can be expressed.
_FIXED: dict[str, Any] = {
    "activation_function": "gelu_new",
    "add_cross_attention": False,
    "is_encoder_decoder": False,
    "quantization_config": None,
    "scale_attn_by_inverse_layer_idx": False,
    "scale_attn_weights": True,
}

#: Read below; for training only; another word for one of these; or of classes that are no language models.
_READ = frozenset(
    {"attn_pdrop", "embd_pdrop", "n_ctx", "n_inner", "reorder_and_upcast_attn", "resid_pdrop", "vocab_size"}
    | {"summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type"}
    | {"summary_use_proj", "task_specific_params", "tie_word_embeddings"}
    | _SIZES.keys()
)


def config(config: ModelConfig) -> dict[str, Any]:
    """What `config.json` says of this architecture alone."""
    return {
        "architectures": [MODEL_TYPES["gpt2"]],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "layer_norm_epsilon": config.norm_epsilon,
        "n_embd": config.width,
        "n_head": config.heads,
        "n_inner": config.feed_forward_width,
        "n_layer": config.layers,
        "n_positions": config.context,
        "resid_pdrop": 0.0,
        "scale_attn_by_inverse_layer_idx": False,
        "scale_attn_weights": True,
    }


def tensor_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight but the embedding and the head."""
    width, inner = config.width, config.feed_forward_width
    norm: dict[str, tuple[int, ...]] = {"weight": (width,), "bias": (width,)}
    layer: dict[str, dict[str, tuple[int, ...]]] = {
        "ln_1": norm,
        "attn.c_attn": {"weight": (width, 3 * width), "bias": (3 * width,)},
        "attn.c_proj": {"weight": (width, width), "bias": (width,)},
        "ln_2": norm,
        "mlp.c_fc": {"weight": (width, inner), "bias": (inner,)},
        "mlp.c_proj": {"weight": (inner, width), "bias": (width,)},
    }
    layers = {
        f"transformer.h.{n}.{name}.{part}": shape
        for n in range(config.layers)
        for name, parts in layer.items()
        for part, shape in parts.items()
    }
    last = {f"transformer.ln_f.{part}": shape for part, shape in norm.items()}
    return {"transformer.wpe.weight": (config.context, width), **last, **layers}


def known_name(name: str) -> str | None:
    """None for the causal masks, which old folders hold; `transformer.` before a name that has it not."""
    if name.endswith((".attn.bias", ".attn.masked_bias")):
        return None
    return name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}"


def section(named: Mapping[str, Any]) -> dict[str, Any]:
    """The section `model` that `config.json` means.

    Raises:
        DataError: naming the key that cannot be expressed, or that is missing.
    """
    check_keys(named, model_types=MODEL_TYPES, fixed=_FIXED, read=_READ)
    sizes = {ours: number(named, theirs) for theirs, ours in _SIZES.items()}
    return {
        "name": "gpt2",
        **sizes,
        "key_value_heads": sizes["heads"],
        "feed_forward_width": number(named, "n_inner", 4 * sizes["width"]),
        "tie_embeddings": named.get("tie_word_embeddings", True),
        "qk_norm": False,
    }
