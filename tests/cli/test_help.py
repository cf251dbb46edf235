"""What `codex --help` says, and that saying it costs next to nothing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.main import get_command

from codex.cli.app import COMMANDS, run

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

HELP = """\
Usage: codex [OPTIONS] COMMAND [ARGS]...

  A folder of raw bytes to a language model that can be proved.

Options:
  --help  Show this message and exit.

Commands:
  train       Raw data to a verified checkpoint: prepare, train, measure,
              sample.
  generate    Continue a text with a trained model.
  infer       Continue texts, and keep what was made with a manifest.
  data        Raw files to records, splits and token shards.
  tokenizer   Train a tokenizer, use it, look into it.
  text        Find the encoding of files, and make them UTF-8.
  manifest    Digests of any folder of files, and proof that they are what they
              were.
  checkpoint  List, verify, compare, keep, export and import checkpoints.
  runs        What was run, and how it went.
  config      Show, check and describe configurations.
  doctor      Check that this machine can do what codex needs.
  version     Print the version of codex and of what it stands on.

  `codex COMMAND --help` says more. Data goes to stdout, talk to stderr.
"""

VERSION_HELP = """\
Usage: codex version [OPTIONS]

  Print the version of codex and of what it stands on.

Options:
  --json       One JSON object on stdout.
  -q, --quiet  No talk and no progress on stderr.
  --debug      Show the traceback of an error.
  --help       Show this message and exit.
"""


@pytest.mark.parametrize(
    ("words", "text"), [((), HELP), (("--help",), HELP), (("version", "--help"), VERSION_HELP)]
)
def test_help_is_on_stdout(codex: Codex, words: tuple[str, ...], text: str) -> None:
    answer = codex(*words, environment={"COLUMNS": "80"})
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, text, "")


def test_help_fits_a_terminal_of_twenty_columns(codex: Codex) -> None:
    answer = codex("--help", environment={"COLUMNS": "20"})
    lines = answer.stdout.splitlines()
    assert answer.returncode == 0
    assert max(map(len, lines)) <= 20
    start = lines.index("Commands:")
    assert lines[start + 1 : start + 6] == [
        "  train",
        "    Raw data to a",
        "    verified",
        "    checkpoint:",
        "    prepare, train,",
    ]


def test_help_imports_no_command_and_nothing_heavy() -> None:
    """Also holds for what typer brings: rich is not needed to print plain text."""
    code = (
        "import sys\n"
        "from codex.cli.app import run\n"
        "assert run(['--help']) == 0\n"
        "print([name for name in sys.modules if name.partition('.')[0] in"
        " ('torch', 'transformers', 'numpy', 'pydantic', 'rich', 'yaml', 'mlflow', 'psutil')"
        " or name.startswith('codex.') and name.split('.')[1] not in ('cli', 'errors')"
        " or name.removeprefix('codex.cli.') in "
        f"{tuple(COMMANDS)!r}], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr == "[]\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_the_first_line_of_the_command(name: str) -> None:
    module = importlib.import_module(f"codex.cli.{name}")
    assert (get_command(module.commands.typer).help or "").splitlines()[0] == COMMANDS[name]


def _every_command() -> list[tuple[str, Any]]:
    found = []
    for name in COMMANDS:
        command: Any = get_command(importlib.import_module(f"codex.cli.{name}").commands.typer)
        subcommands = getattr(command, "commands", None)
        found += (
            [(f"{name} {sub}", of) for sub, of in subcommands.items()] if subcommands else [(name, command)]
        )
    return found


@pytest.mark.parametrize(("path", "command"), _every_command())
def test_every_command_takes_the_shared_options_and_explains_what_it_takes(path: str, command: Any) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--quiet", "--debug"} <= options
    assert command.help and command.help.splitlines()[0].endswith((".", ":"))
    assert "Args:" not in command.help and ">>>" not in command.help
    for parameter in command.params:
        assert parameter.help, f"`{path}` does not explain `{parameter.name}`"


@pytest.mark.parametrize("path", [path for path, _ in _every_command()])
def test_every_command_has_help(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path.split(), "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: codex {path} ")


def test_version_is_one_json_object(codex: Codex) -> None:
    answer = codex("version", "--json")
    facts = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr, answer.stdout.count("\n")) == (0, "", 1)
    assert (facts["schema_version"], facts["kind"]) == (1, "version")
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["packages"]["typer"]
    assert codex("version").stdout.startswith(f"codex {facts['codex']}\n")
