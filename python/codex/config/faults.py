"""What is wrong with a configuration, where it was written, and all of it in one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codex.errors import ConfigError

__all__ = ["COMMAND_LINE", "DEFAULT", "NOWHERE", "Fault", "Origin", "config_error", "shown"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was written: a place in a file (line and column from 1), or a source without lines.

    >>> str(Origin("my.yaml", 12, 3)), str(Origin("command line"))
    ('my.yaml:12:3', 'command line')
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


COMMAND_LINE = Origin("command line")
DEFAULT = Origin("default")
NOWHERE = Origin("")  # said by the caller, not written anywhere


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        message: what, got, wanted.
        origin: where it was written.
        key: the dotted key it is about.
        hint: the way out.
        also: where the other keys of a broken rule were written.

    >>> print(Fault("`train.max_steps` is 0, expected at least 1", Origin("my.yaml", 3, 14)))
    `train.max_steps` is 0, expected at least 1 (my.yaml:3:14)
    """

    message: str
    origin: Origin
    key: str | None = None
    hint: str | None = None
    also: tuple[Origin, ...] = ()

    def __str__(self) -> str:
        places = ", ".join(dict.fromkeys(str(origin) for origin in (self.origin, *self.also)))
        return f"{self.message} ({places})" if places else self.message


def config_error(faults: Sequence[Fault]) -> ConfigError:
    """One error that says all faults (at least one), each on its line with its hint below."""
    if len(faults) == 1:
        return ConfigError(str(faults[0]), hint=faults[0].hint)
    lines = [f"{len(faults)} faults in the configuration"]
    for fault in faults:
        lines.append(f"  {fault}")
        if fault.hint is not None:
            lines.append(f"    hint: {fault.hint}")
    return ConfigError("\n".join(lines))


def shown(text: str, limit: int = 60) -> str:
    """Text from a file as it can safely stand in a message: escaped, cut, in backticks.

    >>> print(shown("a\\x1b[31m"))
    `a\\x1b[31m`
    """
    head = text[: limit + 1]
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)
    return f"`{escaped}`" if len(escaped) <= limit else f"`{escaped[:limit]}...`"
