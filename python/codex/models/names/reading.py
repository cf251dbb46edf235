"""Reading a `config.json` of transformers key by key, so that none is overlooked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from codex.errors import DataError

__all__ = ["WITHOUT_EFFECT", "check_keys", "number", "require"]

#: Names, special ids, the output format, and what only training sees: no logit depends on them.
WITHOUT_EFFECT = frozenset(
    {"_name_or_path", "architectures", "bos_token_id", "dtype", "eos_token_id", "initializer_range"}
    | {"model_type", "pad_token_id", "torch_dtype", "transformers_version", "use_cache"}
    | {"chunk_size_feed_forward", "id2label", "label2id", "output_attentions", "output_hidden_states"}
    | {"problem_type", "return_dict"}
)


def check_keys(
    named: Mapping[str, Any],
    *,
    model_types: Mapping[str, str],
    fixed: Mapping[str, Any],
    read: Collection[str],
) -> str:
    """Refuse a key that is not known, one with a value that cannot be expressed, and a class of another type.

    Args:
        named: the content of `config.json`.
        model_types: `model_type` -> the class that answers as ours does.
        fixed: keys that can have one value only.
        read: keys that the caller reads itself.
    Returns:
        `model_type`.
    Raises:
        DataError: naming the key.
    """
    kind = str(named["model_type"])
    for name in named.get("architectures") or ():
        require("architectures", name, model_types[kind])
    for key, value in named.items():
        if key in fixed:
            require(key, value, fixed[key])
        elif key not in read and key not in WITHOUT_EFFECT:
            raise DataError(f"`{key}` is not a key that a codex model can express, it is {value!r:.60}")
    return kind


def number(named: Mapping[str, Any], key: str, default: Any = None) -> Any:
    """A size.

    Args:
        named: the content of `config.json`.
        key: what it is called there.
        default: what a missing or null one means; None refuses it.
    Raises:
        DataError: if it is no number above 0.

    >>> number({"n_inner": None}, "n_inner", 32)
    32
    """
    value = named.get(key)
    value = default if value is None else value
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise DataError(f"`{key}` is {value!r}, expected a number above 0")
    return value


def require(key: str, value: object, wanted: object) -> None:
    """Refuse any other value than `wanted`.

    Raises:
        DataError: naming the key, and both.
    """
    if value != wanted:
        raise DataError(f"`{key}` is {value!r:.60}, expected {wanted!r}: a codex model has nothing else")
