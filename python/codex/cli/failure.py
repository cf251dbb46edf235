"""What went wrong, as one block on stderr and one exit code.

    error: LockError: run folder `runs/base` is in use by process 4711 on `box`

    hint: wait for it, or start another run with `run.name=NAME`

With `--json` it is one line: `{"schema_version": 1, "kind": "error", "error": "LockError", "message": ...}`.
"""

from __future__ import annotations

import errno
import re
import sys
import traceback

import typer

from codex.cli.command import nearest
from codex.cli.extras import missing_extra
from codex.cli.output import json_line, talk
from codex.cli.paint import painted, printable
from codex.errors import CodexError, DiskFullError, Interrupted, MachineError, UsageError

__all__ = ["explain", "report"]


def explain(error: BaseException) -> CodexError | None:
    """The error in our words, or None if it is nothing that was foreseen: a bug."""
    if isinstance(error, CodexError):
        return error
    if isinstance(error, typer.TyperException):
        return _usage(error)
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("stopped from the keyboard")
    if isinstance(error, ModuleNotFoundError):
        return missing_extra(error.name or "")
    if isinstance(error, MemoryError):
        return MachineError("out of memory", hint="free some, or lower `train.micro_batch_size`")
    if isinstance(error, OSError):
        place = f" at `{error.filename}`" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError(f"no space left{place}", hint="free some, then run the same command again")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return MachineError(f"permission denied{place}", hint="`codex doctor` shows what is writable")
    return None


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Say what went wrong on stderr, and return the exit code."""
    known = explain(error)
    if known is None:
        name, code = type(error).__name__, 70
        message = f"{str(error) or 'no message'} (this is a bug in codex)"
        hint: str | None = "report what this prints with `--debug`, and what `codex doctor` prints"
    else:
        name, code, message, hint = type(known).__name__, known.exit_code, str(known), known.hint
    if debug:
        talk("".join(traceback.format_exception(error)).rstrip())
    if as_json:
        talk(json_line("error", {"error": name, "message": message, "hint": hint, "exit_code": code}))
        return code
    talk(f"{painted('error:', 'red', sys.stderr)} {name}: {printable(message)}", is_printable=True)
    if hint:
        talk(f"\n{painted('hint:', 'cyan', sys.stderr)} {printable(hint)}", is_printable=True)
    return code


def _usage(error: typer.TyperException) -> UsageError:
    """Typer's words in our form: lower case, no full stop, the subject in backticks."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "codex"
    option = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption" and context:
        options = [name for parameter in context.command.params for name in parameter.opts]
        return UsageError(
            f"no option `{option}` in `{path}`",
            hint=nearest(str(option), options) or f"`{path} --help` lists them",
        )
    message = " ".join(error.format_message().replace("'", "`").rstrip(".").split())
    message = re.sub(
        r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)$", r"unexpected argument `\1`", message
    )
    hint = f"`{path} --help` shows how it is called"
    if context and message == "Missing command":
        hint = f"one of {', '.join(f'`{name}`' for name in context.command.list_commands(context))}"
    return UsageError(message[:1].lower() + message[1:], hint=hint)
