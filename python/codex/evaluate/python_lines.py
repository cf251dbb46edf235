"""How much of a sample is made of Python's tokens, line by line: a cheap look at whether a model has learned the language.

The whole sample goes through the `tokenize` of this Python. A line with an error counts as bad, and tokenizing starts afresh
on the line after it. A bracket, a string or a block that is still open where the sample ends is no error: the sample was cut
off there, not the program. Lines that are not reached for that reason count as good.
"""

from __future__ import annotations

import io
import tokenize
from dataclasses import dataclass

__all__ = ["PythonLines", "python_lines"]


@dataclass(frozen=True, slots=True)
class PythonLines:
    """Lines of a sample, and how many of them hold an error."""

    lines: int
    bad: int

    @property
    def share(self) -> float:
        """Of the lines that tokenize; 1 for an empty sample."""
        return 1 - self.bad / self.lines if self.lines else 1.0


def python_lines(text: str) -> PythonLines:
    """Count the lines of `text` and those that do not tokenize as Python.

    >>> python_lines("x = (1 +\\ny = $\\n")
    PythonLines(lines=2, bad=1)
    """
    lines = text.splitlines(keepends=True)
    bad = 0
    start = 0
    while start < len(lines):
        error = _first_error(lines[start:])
        if error is None:
            break
        bad += 1
        start += error
    return PythonLines(len(lines), bad)


def _first_error(lines: list[str]) -> int | None:
    """The number, from 1, of the first line with an error; None if there is none but the end of the sample."""
    try:
        for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
            # Until Python 3.11 what fits no token comes back as one of these; from 3.12 it is raised.
            if token.type == tokenize.ERRORTOKEN and not token.string.isspace():
                return None if _is_cut_string(token.string, token.start[0], lines) else token.start[0]
    except tokenize.TokenError as error:
        message: str = error.args[0]
        line: int = error.args[1][0]
        if "EOF" in message or "unterminated triple-quoted" in message:
            return None
        if "unterminated" in message and line >= len(lines):
            return None
        return min(max(line, 1), len(lines))
    except SyntaxError as error:  # a block that returns to a depth it never had
        return min(max(error.lineno or 1, 1), len(lines))
    return None


def _is_cut_string(error: str, line: int, lines: list[str]) -> bool:
    """Whether an error of Python 3.11 is the opening quote of a string that the end of the sample cuts off."""
    return error[0] in "\"'" and line == len(lines)
