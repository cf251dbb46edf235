"""Text that is safe to show: control characters escaped, colour only where it is wanted."""

from __future__ import annotations

import os
import re
from typing import TextIO

__all__ = ["painted", "printable"]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CODES = {"red": 31, "yellow": 33, "cyan": 36}


def printable(text: str) -> str:
    r"""`text` with what could steer a terminal written out; newlines and tabs stay.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def painted(text: str, colour: str, stream: TextIO) -> str:
    """`text` in bold `colour`, if `stream` is a terminal and `NO_COLOR` and `TERM=dumb` do not forbid it."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[1;{_CODES[colour]}m{text}\x1b[0m"
