"""What every kind of tokenizer refuses in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codex.errors import DataError, UsageError

__all__ = ["checked_ids", "checked_text", "checked_texts", "checked_threads", "refuse_specials"]


def checked_threads(threads: int | None) -> int | None:
    """`threads` if it can be one.

    Raises:
        UsageError: if it is less than 1.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"`threads` is {threads}, expected at least 1, or None for one for each processor")
    return threads


def checked_texts(texts: Iterable[str]) -> list[str]:
    """`texts` if they are several; one text alone would be taken for its characters.

    Raises:
        UsageError: if it is a string.
    """
    if isinstance(texts, str):
        raise UsageError(
            "`texts` is one text, expected several", hint="`encode` takes one; `[text]` is a batch of one"
        )
    return list(texts)


def checked_ids(ids: ArrayLike, vocab_size: int) -> NDArray[np.uint32]:
    """`ids` as a row of numbers below `vocab_size`.

    Raises:
        UsageError: if they are no row of integers.
        DataError: if one is not of the vocabulary.
    """
    array = np.asarray(ids)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise UsageError(f"ids are {array.dtype} of shape {array.shape}, expected one axis of integers")
    unknown = np.flatnonzero((array < 0) | (array >= vocab_size))
    if unknown.size:
        place = int(unknown[0])
        message = f"unknown id `{array[place]}` at place {place}, expected below {vocab_size}"
        raise DataError(message, hint="were the ids made with another tokenizer?")
    return np.ascontiguousarray(array, dtype=np.uint32)


def checked_text(text: str, specials: str) -> None:
    """Refuse what no kind encodes.

    Raises:
        UsageError: if `specials` is no choice.
        DataError: if the text holds a lone surrogate.
    """
    if specials not in ("forbid", "text", "ids"):
        raise UsageError(f"`specials` is `{specials}`, expected `forbid`, `text` or `ids`")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"the text holds a lone surrogate at character {error.start}, expected what UTF-8 can hold"
        raise DataError(message) from None


def refuse_specials(text: str, names: Mapping[str, int]) -> None:
    """Raise if `text` spells one of `names`.

    Raises:
        DataError: naming the first special token in it and where it stands.
    """
    found = [(text.index(name), -len(name), name) for name in names if name in text]
    if found:
        at, _, name = min(found)
        raise DataError(
            f"special token `{name}` in the text at byte {len(text[:at].encode())}",
            hint="encode it as ordinary text (specials `text`) or as the special token (specials `ids`)",
        )
