"""One clear block for everything that goes wrong, with the exit code the design gives it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.cli import app
from codex.cli.command import Commands, Overrides
from codex.cli.output import Output
from codex.errors import ConfigError, DamageError, Interrupted, LockError

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Makes `codex probe` do what it is given, and take overrides."""

    def install(body: Callable[[], None]) -> None:
        commands = Commands()

        @commands.command()
        def probe(out: Output, number: int = 1, overrides: Overrides = None) -> None:
            """Probe."""
            body()
            out.result("probe", {"overrides": overrides or []}, text=" ".join(overrides or []))

        module = types.ModuleType("codex.cli.probe")
        module.commands = commands  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "codex.cli.probe", module)
        monkeypatch.setitem(app.COMMANDS, "probe", "Probe.")

    return install


def fails(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


USAGE = [
    ("trian", "no command `trian` in `codex`", "did you mean `train`?"),
    (
        "nonsense",
        "no command `nonsense` in `codex`",
        "one of `train`, `generate`, `infer`, `data`, `tokenizer`, `text`, `manifest`, "
        "`checkpoint`, `runs`, `config`, `doctor`, `version`",
    ),
    ("runs", "missing command", "one of `list`, `show`"),
    ("runs shwo", "no command `shwo` in `codex runs`", "did you mean `show`?"),
    ("runs show", "missing argument `RUN`", "`codex runs show --help` shows how it is called"),
    ("--verbose", "no option `--verbose` in `codex`", "`codex --help` lists them"),
    ("version --jsno", "no option `--jsno` in `codex version`", "did you mean `--json`?"),
    ("version now", "unexpected argument `now`", "`codex version --help` shows how it is called"),
    ("version --quiet=3", "option `--quiet` does not take a value", "`codex --help` shows how it is called"),
]


@pytest.mark.parametrize(("words", "message", "hint"), USAGE)
def test_a_wrong_call_is_one_block_and_exit_2(
    words: str, message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(words.split()) == 2
    captured = capsys.readouterr()
    assert captured.err == f"error: UsageError: {message}\n\nhint: {hint}\n"
    assert captured.out == ""


def test_the_process_answers_as_the_function_does(codex: Codex) -> None:
    answer = codex("trian")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert (
        answer.stderr == "error: UsageError: no command `trian` in `codex`\n\nhint: did you mean `train`?\n"
    )


OVERRIDES = [
    ("a.b=1", 0, ""),
    ("--a.b=1", 0, ""),
    ("+a.b=1", 0, ""),
    ("a.b=1 --number 3 --c.d=x=y --json", 0, ""),
    ("--a.b=", 0, ""),
    ("--nubmer=3", 2, "did you mean `--number`?"),
    ("--nubmer 3", 2, "did you mean `--number`?"),
    ("--jsno", 2, "did you mean `--json`?"),
    ("-x", 2, "`codex probe --help` lists them"),
    ("--a.b 1", 2, "write it as one word: `--a.b=VALUE`"),
]


@pytest.mark.parametrize(("words", "code", "hint"), OVERRIDES)
def test_overrides_pass_through_and_unknown_flags_do_not(
    words: str, code: int, hint: str, probe: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    probe(lambda: None)
    assert app.run(["probe", *words.split()]) == code
    captured = capsys.readouterr()
    if hint:
        assert captured.err.splitlines()[-1] == f"hint: {hint}"
        assert captured.err.startswith("error: UsageError: ")
        assert captured.out == ""
    elif "--json" in words:
        assert json.loads(captured.out)["overrides"] == ["a.b=1", "--c.d=x=y"]
    else:
        assert captured.out == f"{words}\n"


ERRORS = [
    (ConfigError("`a` is 0\n`b` is 1", hint="use 2"), 2, "ConfigError: `a` is 0\n`b` is 1\n\nhint: use 2"),
    (DamageError("`x` is torn"), 4, "DamageError: `x` is torn"),
    (LockError("held by process 1 on box"), 5, "LockError: held by process 1 on box"),
    (
        OSError(errno.ENOSPC, "No space", "/a/b"),
        5,
        "DiskFullError: no space left at `/a/b`\n\nhint: free some, then run the same command again",
    ),
    (
        OSError(errno.EDQUOT, "Quota"),
        5,
        "DiskFullError: no space left\n\nhint: free some, then run the same command again",
    ),
    (
        PermissionError(errno.EACCES, "no", "/a"),
        5,
        "MachineError: permission denied at `/a`\n\nhint: `codex doctor` shows what is writable",
    ),
    (
        MemoryError(),
        5,
        "MachineError: out of memory\n\nhint: free some, or lower `train.micro_batch_size`",
    ),
    (
        ModuleNotFoundError("No module named 'torch'", name="torch"),
        5,
        'MissingExtraError: `torch` is not installed\n\nhint: pip install "codex-lm[train]"',
    ),
    (
        ModuleNotFoundError("No module named 'mlflow.tracking'", name="mlflow.tracking"),
        5,
        'MissingExtraError: `mlflow` is not installed\n\nhint: pip install "codex-lm[mlflow]"',
    ),
    (KeyboardInterrupt(), 130, "Interrupted: stopped from the keyboard"),
    (Interrupted("saved step 7", signal_number=15), 143, "Interrupted: saved step 7"),
    (
        KeyError("x"),
        70,
        "KeyError: 'x' (this is a bug in codex)\n\n"
        "hint: report what this prints with `--debug`, and what `codex doctor` prints",
    ),
    (
        ModuleNotFoundError("No module named 'nothing'", name="nothing"),
        70,
        "ModuleNotFoundError: No module named 'nothing' (this is a bug in codex)\n\n"
        "hint: report what this prints with `--debug`, and what `codex doctor` prints",
    ),
    (
        DamageError("a name with \x1b[2J in it"),
        4,
        r"DamageError: a name with \x1b[2J in it",
    ),
]


@pytest.mark.parametrize(("error", "code", "block"), ERRORS, ids=lambda value: repr(value)[:40])
def test_every_error_has_its_block_and_its_code(
    error: BaseException,
    code: int,
    block: str,
    probe: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    probe(fails(error))
    assert app.run(["probe"]) == code
    captured = capsys.readouterr()
    assert captured.err == f"error: {block}\n"
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_json_errors_are_one_line_on_stderr(
    probe: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    probe(fails(LockError("held", hint="wait")))
    assert app.run(["probe", "--json"]) == 5
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "schema_version": 1,
        "kind": "error",
        "error": "LockError",
        "message": "held",
        "hint": "wait",
        "exit_code": 5,
    }


def test_debug_adds_the_traceback(probe: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    probe(fails(KeyError("x")))
    assert app.run(["probe", "--debug"]) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "error: KeyError: 'x' (this is a bug in codex)" in lines


def test_an_option_behind_two_dashes_is_not_ours(
    probe: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    probe(fails(KeyError("x")))
    assert app.run(["probe", "--", "--debug.x=1", "--json"]) == 2
    assert capsys.readouterr().err.startswith("error: UsageError: ")


def test_a_closed_pipe_is_silent(codex: Codex, tmp_path: Path) -> None:
    """`codex ... | head` in which head is gone before the first byte."""
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-m", "codex", "version"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_a_full_disk_under_stdout_is_exit_5() -> None:
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "codex", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert answer.returncode == 5
    assert answer.stderr == (
        "error: DiskFullError: no space left\n\nhint: free some, then run the same command again\n"
    )


def test_a_closed_stderr_loses_talk_and_nothing_else() -> None:
    code = (
        "import os, sys; from codex.cli.output import Output\n"
        "with Output() as out:\n"
        "    out.say('one'); out.step('a', 1, 1); out.warn('two'); out.result('x', {}, text='data')\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=writer, text=True, check=False
    )
    os.close(writer)
    assert answer.stdout == "data\n"


def test_ctrl_c_is_130_without_a_traceback(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, types; from codex.cli import app; from codex.cli.command import Commands\n"
        "commands = Commands()\n"
        "@commands.command()\n"
        "def probe(out):\n"
        "    'Probe.'\n"
        "    os.kill(os.getpid(), signal.SIGINT); signal.pause()\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background job ignores it
        "module = types.ModuleType('probe'); module.commands = commands\n"
        "sys.modules['codex.cli.probe'] = module; app.COMMANDS['probe'] = 'Probe.'\n"
        "app.main('probe')\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 128 + signal.SIGINT
    assert answer.stderr == "error: Interrupted: stopped from the keyboard\n"


WITHOUT_TORCH = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "psutil", "triton"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from codex.cli.app import train
sys.argv = ["codex-train"]
train()
"""


def test_training_without_torch_prints_the_line_that_installs_it(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 5
    assert answer.stderr == (
        'error: MissingExtraError: `torch` is not installed\n\nhint: pip install "codex-lm[train]"\n'
    )
    assert answer.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("alias", ["train", "tokenizer", "generate", "infer"])
def test_the_aliases_are_the_commands(alias: str, codex: Codex, tmp_path: Path) -> None:
    code = f"import sys; sys.argv = ['codex-{alias}', '--help']; from codex.cli.app import {alias}; {alias}()"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, codex(alias, "--help").stdout)
    assert answer.stdout.startswith(f"Usage: codex {alias} ")
