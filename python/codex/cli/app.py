"""Every command of codex, and what happens when one fails.

To add a command: a row in `COMMANDS`, and a file like the one below. It is imported when it is run, so it may
import what it needs; torch still belongs inside the function, so that `--help` stays quick.

    \"\"\"`codex version`: what is installed.\"\"\"

    from __future__ import annotations

    from codex.cli.command import Commands
    from codex.cli.output import Output

    __all__ = ["commands"]

    commands = Commands()             # Commands("What the group is for.") makes a group: `codex data ...`

    @commands.command()               # the command's name is the function's, or command("name")
    def version(out: Output) -> None:
        \"\"\"Print the version of codex and of what it stands on.\"\"\"   # the help, up to `Args:`
        facts = {"codex": ..., "python": ...}
        out.result("version", facts, text=[f"{name} {value}" for name, value in facts.items()])

`--json`, `--quiet` and `--debug` are there by themselves. A command that reads a configuration declares
`config: ConfigName = None, overrides: Overrides = None` and calls `load(config, overrides or ())`. Errors are
raised, never printed: exit code and hint travel with them (`codex.errors`). A result that is bad news is
printed first, and then `raise typer.Exit(4)`.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any, NoReturn

import typer
from typer.main import get_command

from codex.cli.bar import terminal_width
from codex.cli.command import Group
from codex.cli.failure import report

__all__ = ["COMMANDS", "generate", "infer", "main", "run", "tokenizer", "train"]

COMMANDS = {
    "train": "Raw data to a verified checkpoint: prepare, train, measure, sample.",
    "generate": "Continue a text with a trained model.",
    "infer": "Continue texts, and keep what was made with a manifest.",
    "data": "Raw files to records, splits and token shards.",
    "tokenizer": "Train a tokenizer, use it, look into it.",
    "text": "Find the encoding of files, and make them UTF-8.",
    "manifest": "Digests of any folder of files, and proof that they are what they were.",
    "checkpoint": "List, verify, compare, keep, export and import checkpoints.",
    "runs": "What was run, and how it went.",
    "config": "Show, check and describe configurations.",
    "doctor": "Check that this machine can do what codex needs.",
    "version": "Print the version of codex and of what it stands on.",
}
"""Command -> its line in `codex --help`; `codex.cli.<command>` holds it as `commands`, with the same line."""


class _Root(Group):
    """The commands of the table, each imported when it is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        module = importlib.import_module(f"codex.cli.{cmd_name}")
        return get_command(module.commands.typer)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            if formatter.width >= 40:
                formatter.write_dl(list(COMMANDS.items()))
                return
            for name, line in COMMANDS.items():  # two columns would not fit
                formatter.write(f"  {name}\n")
                with formatter.indentation():
                    formatter.write_text(line)


def _root() -> Any:
    app = typer.Typer(
        cls=_Root,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="A folder of raw bytes to a language model that can be proved.",
        epilog="`codex COMMAND --help` says more. Data goes to stdout, talk to stderr.",
    )
    app.callback()(lambda: None)
    return get_command(app)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; whatever it raises has been reported."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        _let_streams_hold_any_text()
        code = _invoke(arguments or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:
        code = 0  # the reader has what it wanted: `codex ... | head`
    except BaseException as error:
        code = report(error, as_json="--json" in ours, debug="--debug" in ours)
    _leave_nothing_to_flush()
    return code


def _invoke(arguments: list[str]) -> int:
    width = min(max(terminal_width(), 20), 100)
    root = _root()
    try:
        with root.make_context("codex", list(arguments), terminal_width=width) as context:
            root.invoke(context)
    except typer.Exit as wanted:
        return wanted.exit_code
    return 0


def _let_streams_hold_any_text() -> None:
    """Undecodable file names leave as the bytes they came as; what the locale cannot say is written out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_utf8 = stream.encoding.lower().replace("-", "") == "utf8"
            stream.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")


def _leave_nothing_to_flush() -> None:
    """If stdout cannot take what is left, drop it: else the interpreter fails over it on its way out."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(*command: str) -> NoReturn:
    """The console command `codex`; with `command`, one of its aliases."""
    sys.exit(run([*command, *sys.argv[1:]]))


def train() -> NoReturn:
    """`codex-train` is `codex train`."""
    main("train")


def tokenizer() -> NoReturn:
    """`codex-tokenizer` is `codex tokenizer`."""
    main("tokenizer")


def generate() -> NoReturn:
    """`codex-generate` is `codex generate`."""
    main("generate")


def infer() -> NoReturn:
    """`codex-infer` is `codex infer`."""
    main("infer")
