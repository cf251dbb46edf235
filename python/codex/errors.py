"""Every error codex raises on purpose, and the exit code each one means.

    CodexError                       70  our bug, unless a subclass says otherwise
    ├── UsageError                    2  a command called in a way it cannot be
    ├── ConfigError (ValueError)      2  a configuration that cannot be run
    │   └── RegistryError (KeyError)  2  a name that nothing is registered under
    ├── ShapeError (ValueError)       2  tensors or settings whose sizes do not fit together
    ├── DifferenceError               1  two things that should agree do not, a gate that failed
    ├── DataError (ValueError)        3  missing, unreadable or bad data
    │   ├── MissingDataError (FileNotFoundError)
    │   └── ChangedError              3  a file that was changed while it was read
    ├── DamageError (ValueError)      4  a damaged or incompatible checkpoint, shard, tokenizer or manifest
    ├── MachineError (OSError)        5  the machine or another process stands in the way
    │   ├── DiskFullError             5
    │   ├── LockError                 5  another process owns it; the message names it
    │   └── DeviceError               5  the device cannot do what was asked
    ├── MissingExtraError (ImportError)  5  an optional part is not installed; the hint is the line that installs it
    ├── DivergedError (ArithmeticError)  6  training diverged
    └── Interrupted                   130 or 143, after a clean save

A message is one lower-case line: what, got, wanted, where, with the subject in backticks. The way out is `hint`, printed on
a line of its own. Each class also inherits the builtin a caller would already catch. All of them pickle.
"""

from __future__ import annotations

__all__ = [
    "ChangedError",
    "CodexError",
    "ConfigError",
    "DamageError",
    "DataError",
    "DeviceError",
    "DifferenceError",
    "DiskFullError",
    "DivergedError",
    "Interrupted",
    "LockError",
    "MachineError",
    "MissingDataError",
    "MissingExtraError",
    "RegistryError",
    "ShapeError",
    "UsageError",
]


class CodexError(Exception):
    """The root: catch it to catch everything codex raises on purpose.

    Args:
        message: one line, no full stop.
        hint: how to mend it, or None.

    >>> str(CodexError("`train.max_steps` is 0, expected at least 1", hint="use 1"))
    '`train.max_steps` is 0, expected at least 1'
    """

    exit_code: int = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.message = message
        self.hint = hint
        # OSError and ImportError keep state of their own in `args`; one string fits them all.
        super().__init__(message)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, dict(self.__dict__))


def _rebuild(kind: type[CodexError], message: str, state: dict[str, object]) -> CodexError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class UsageError(CodexError):
    """A command called in a way it cannot be."""

    exit_code = 2


class ConfigError(CodexError, ValueError):
    """A configuration that cannot be run; the message may hold several lines, one fault each."""

    exit_code = 2


class RegistryError(ConfigError, KeyError):
    """A name that nothing is registered under; the message lists what there is."""


class ShapeError(CodexError, ValueError):
    """Tensors or settings whose sizes do not fit together."""

    exit_code = 2


class DifferenceError(CodexError):
    """Two things that should agree do not, or a gate failed."""

    exit_code = 1


class DataError(CodexError, ValueError):
    """Missing, unreadable or bad data."""

    exit_code = 3


class MissingDataError(DataError, FileNotFoundError):
    """A file or folder that should be there is not."""


class ChangedError(DataError):
    """A file that was changed while it was read."""


class DamageError(CodexError, ValueError):
    """A damaged or incompatible checkpoint, shard, tokenizer or manifest."""

    exit_code = 4


class MachineError(CodexError, OSError):
    """The machine or another process stands in the way."""

    exit_code = 5


class DiskFullError(MachineError):
    """There is no room, or not enough for what is about to be written."""


class LockError(MachineError):
    """Another process owns it; the message names the process and the host."""


class DeviceError(MachineError):
    """The device cannot do what was asked of it."""


class MissingExtraError(CodexError, ImportError):
    """An optional part is not installed; the hint is the exact line that installs it."""

    exit_code = 5


class DivergedError(CodexError, ArithmeticError):
    """Training diverged: the loss is not finite."""

    exit_code = 6


class Interrupted(CodexError):
    """The run was asked to stop and has saved; `exit_code` is 128 plus the signal's number."""

    def __init__(self, message: str, *, signal_number: int = 2, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + signal_number
