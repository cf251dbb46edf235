"""A `config.json` of transformers as `config.model`, or the name of what a codex model cannot express.

Nothing is guessed: a key that is not known here is refused, because it may change what the weights compute. The
way out is `names.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codex.errors import DataError

__all__ = ["model_section"]

_ARCHITECTURES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}

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

#: Read by code here, or without effect on logits: names, dropout in training, special ids, the output format.
_KNOWN = frozenset(
    {"architectures", "head_dim", "layer_types", "model_type", "rope_parameters", "rope_theta"}
    | {"tie_word_embeddings", "vocab_size"}
    | {"_name_or_path", "attention_dropout", "bos_token_id", "dtype", "eos_token_id", "initializer_range"}
    | {
        "max_window_layers",
        "pad_token_id",
        "sliding_window",
        "torch_dtype",
        "transformers_version",
        "use_cache",
    }
    | {"chunk_size_feed_forward", "id2label", "label2id", "output_attentions", "output_hidden_states"}
    | {"problem_type", "return_dict"}
)


def model_section(named: Mapping[str, Any]) -> dict[str, Any]:
    """The section `model` of a model whose `config.json` is `named`.

    Raises:
        DataError: naming the key that a codex model cannot express, or that is missing.

    >>> sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=4)
    >>> model_section({"model_type": "llama", "intermediate_size": 8, "rms_norm_eps": 1e-5, **sizes})["width"]
    8
    >>> model_section({"model_type": "llama", "rope_scaling": {"rope_type": "yarn"}})
    Traceback (most recent call last):
    codex.errors.DataError: `rope_scaling` is {'rope_type': 'yarn'}, expected None: a codex model has nothing else
    """
    kind = _architecture(named)
    for key, value in named.items():
        if key in _FIXED:
            _require(key, value, _FIXED[key])
        elif key not in _SIZES and key not in _KNOWN:
            raise DataError(f"`{key}` is not a key that a codex model can express, it is {value!r:.60}")
    for index, layer in enumerate(named.get("layer_types") or ()):
        _require(f"layer_types[{index}]", layer, "full_attention")
    section = {ours: _size(named, theirs, kind) for theirs, ours in _SIZES.items()}
    width, heads = section["width"], section["heads"]
    head_size = named.get("head_dim") or (width // heads if kind == "llama" else 128)
    _require("head_dim", head_size, width // heads)
    return {
        "name": "llama",
        **section,
        "tie_embeddings": named.get("tie_word_embeddings", False),
        "qk_norm": kind == "qwen3",
        "rope_theta": float(_rope_theta(named)),
    }


def _architecture(named: Mapping[str, Any]) -> str:
    if "auto_map" in named:
        raise DataError("`auto_map` names code to run, and no code of a model folder is run here")
    kind = str(named.get("model_type"))
    if kind not in _ARCHITECTURES:
        raise DataError(f"`model_type` is `{kind}`, expected one of {', '.join(_ARCHITECTURES)}")
    for name in named.get("architectures") or ():
        _require("architectures", name, _ARCHITECTURES[kind])
    return kind


def _size(named: Mapping[str, Any], key: str, kind: str) -> Any:
    """A size; in a Llama, key-value heads that are not given are as many as heads."""
    value = named.get(key)
    if value is None and key == "num_key_value_heads" and kind == "llama":
        value = named.get("num_attention_heads")
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise DataError(f"`{key}` is {value!r}, expected a number above 0")
    return value


def _rope_theta(named: Mapping[str, Any]) -> Any:
    """Given in `rope_parameters` since transformers 5, on its own before; 10,000 where it is not given."""
    rope = named.get("rope_parameters") or {}
    if not isinstance(rope, Mapping):
        raise DataError(f"`rope_parameters` is {rope!r:.60}, expected an object")
    for key, value in rope.items():
        if key == "rope_type":
            _require("rope_parameters.rope_type", value, "default")
        elif key != "rope_theta":
            raise DataError(f"`rope_parameters.{key}` is {value!r:.60}, which a codex model cannot express")
    theta = rope.get("rope_theta", named.get("rope_theta", 10_000.0))
    if not isinstance(theta, int | float) or isinstance(theta, bool):
        raise DataError(f"`rope_theta` is {theta!r:.60}, expected a number")
    return theta


def _require(key: str, value: object, wanted: object) -> None:
    if value != wanted:
        raise DataError(f"`{key}` is {value!r:.60}, expected {wanted!r}: a codex model has nothing else")
