"""Bytes to text, exactly or not at all: the typed door to `codex-text`.

The encoding is the one the bytes declare: a byte-order mark (UTF-8, UTF-16, UTF-32), else the coding cookie of a Python
source, else UTF-8. The page `docs/text.md` lists the encodings a cookie can name.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import NamedTuple

from codex import _core

__all__ = ["Decoded", "NewlineCounts", "decode"]


class NewlineCounts(NamedTuple):
    """How many newlines of each kind the bytes had."""

    lf: int
    crlf: int
    cr: int


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what was learnt from its bytes."""

    text: str
    """The characters, without a byte-order mark, every newline `\\n`."""
    encoding: str
    """What `codecs.lookup` calls the encoding, such as `utf-8` or `iso8859-1`."""
    byte_order_mark: bool
    """Whether the bytes began with one."""
    newlines: str
    """The kinds of newline the bytes had, such as `lf` or `lf+crlf`; empty if there was none."""
    newline_counts: NewlineCounts
    """How many of each kind."""
    errors: int = 0
    """How many places were replaced: always 0, since what cannot be decoded exactly is refused."""


def decode(data: bytes, *, name: str | PathLike[str]) -> Decoded:
    """The text that `data`, the content of the file called `name`, stands for.

    Args:
        data: the whole file.
        name: only its ending matters: `.py`, `.pyi` and `.pyw` may declare an encoding in their first two lines.
    Returns:
        The text as Python's own codec gives it; the interpreter is released meanwhile.
    Raises:
        DataError: if the bytes are no text in the encoding they declare; the message is a short reason that names the
            byte and its offset.

    >>> decode(b"one\\r\\ntwo\\n", name="notes.txt").text
    'one\\ntwo\\n'
    >>> decode(b"# coding: latin-1\\n\\xe9", name="old.py").encoding
    'iso8859-1'
    >>> decode(b"caf\\xe9", name="notes.txt")
    Traceback (most recent call last):
    codex.errors.DataError: not utf-8: byte 0xe9 at 3
    """
    text, encoding, byte_order_mark, newlines, counts = _core.text_decode(data, name)
    return Decoded(text, encoding, byte_order_mark, newlines, NewlineCounts(*counts))
