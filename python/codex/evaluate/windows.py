"""Which stretch of a long text the model sees when it scores a token: a window that slides, each token scored once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Window", "windows"]


class Window(NamedTuple):
    """Tokens `start` to `stop` - 1 are seen; all but the first `skip` of them are scored."""

    start: int
    stop: int
    skip: int


def windows(tokens: int, context: int, stride: int) -> Iterator[Window]:
    """Windows over `tokens` tokens such that every one is scored in exactly one of them.

    The first window scores all it sees; each later one moves on by `stride` and scores only what is new, so that every token
    but the first `context` has seen at least context - stride tokens before it. A smaller stride gives fewer bits and takes
    longer: the work is about tokens x context / stride.

    Args:
        tokens: length of the text.
        context: longest window.
        stride: 1 to context.

    >>> list(windows(7, context=4, stride=2))
    [Window(start=0, stop=4, skip=0), Window(start=2, stop=6, skip=2), Window(start=3, stop=7, skip=3)]
    """
    scored = 0
    while scored < tokens:
        stop = min(scored + (stride if scored else context), tokens)
        start = max(0, stop - context)
        yield Window(start, stop, scored - start)
        scored = stop
