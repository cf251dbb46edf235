"""Talk, bars and tables: on a terminal, beside one, in twenty columns and in ASCII."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from codex.cli.bar import LINE_S, REDRAW_S, Bar
from codex.cli.output import Output, json_line, table


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class AsciiTerminal(Terminal):
    encoding = "ascii"


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def _eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


def drawn(stream: io.StringIO) -> list[str]:
    return [line for line in stream.getvalue().replace("\n", "").split("\r\x1b[2K") if line]


def test_a_terminal_gets_a_bar_that_redraws_itself() -> None:
    stream, clock = Terminal(), Clock()
    bar = Bar(stream, clock)
    bar.step("train", 0, 100)
    clock.now_s = 10.0
    bar.step("train", 50, 100, "loss 2.5")
    bar.step("train", 51, 100, "loss 2.4")
    bar.step("train", 100, 100, "loss 2.1")
    assert drawn(stream) == [
        "train   0%  ──────────────────────────────  0/100",
        "train  50%  ━━━━━━━━━━━━━━━───────────────  50/100  loss 2.5  0:10 left",
        "train 100%  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  100/100  loss 2.1",
    ]
    assert stream.getvalue().endswith("\n")


def test_a_bar_is_not_drawn_more_often_than_eyes_can_see() -> None:
    stream, clock = Terminal(), Clock()
    bar = Bar(stream, clock)
    for done in range(10_000):
        clock.now_s = done * REDRAW_S / 100
        bar.step("read", done, 10_000)
    assert len(drawn(stream)) == pytest.approx(100, abs=2)


def test_plain_lines_come_seldom_and_the_last_one_always() -> None:
    stream, clock = io.StringIO(), Clock()
    bar = Bar(stream, clock)
    for done in range(1, 1001):
        clock.now_s = done * LINE_S / 400
        bar.step("read", done, 1000)
    bar.step("write", 2, 2, "4 MB")
    assert stream.getvalue() == (
        "read: 401 of 1,000\nread: 801 of 1,000\nread: 1,000 of 1,000\nwrite: 2 of 2, 4 MB\n"
    )


@pytest.mark.parametrize("columns", [1, 4, 12, 20, 33, 80, 200])
def test_a_bar_fits_any_width(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream, clock = Terminal(), Clock()
    bar = Bar(stream, clock)
    for done in range(8):
        clock.now_s = float(done)
        bar.step("tokenize", done, 7, "a note")
    assert all(len(line) < columns or len(line) == 0 for line in drawn(stream))


def test_a_terminal_without_unicode_gets_ascii() -> None:
    stream = AsciiTerminal()
    Bar(stream, Clock()).step("train", 1, 2)
    assert drawn(stream) == ["train  50%  ###############---------------  1/2"]


def test_a_stage_of_nothing_is_done() -> None:
    stream = io.StringIO()
    Bar(stream, Clock()).step("read", 0, 0)
    assert stream.getvalue() == "read: 0 of 0\n"


def test_talk_takes_the_bar_away_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    out = Output()
    out.step("train", 1, 2)
    out.say("saved")
    out.warn("odd")
    text = stream.getvalue()
    assert text.endswith("\r\x1b[2Ksaved\nwarning: odd\n")


def test_quiet_hides_talk_and_progress_but_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.say("talk")
    out.step("read", 1, 1)
    out.warn("odd\x1b[0m")
    out.result("probe", {}, text="data")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("data\n", "warning: odd\\x1b[0m\n")


def test_json_is_one_object_and_the_talk_stays_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=True)
    out.say("talk")
    out.raw(b"never")
    out.result("probe", {"path": Path("é"), "n": np.float32(0.5), "all": {1: [float("nan")]}}, text="never")
    captured = capsys.readouterr()
    assert captured.err == "talk\n"
    assert json.loads(captured.out) == {
        "schema_version": 1,
        "kind": "probe",
        "path": "é",
        "n": 0.5,
        "all": {"1": ["NaN"]},
    }


def test_json_holds_what_json_cannot() -> None:
    facts = {"a": float("-inf"), "b": (1, None, True), "c": "\udc80", "d": {"x": float("inf")}}
    assert json.loads(json_line("probe", facts)) == {
        "schema_version": 1,
        "kind": "probe",
        "a": "-Infinity",
        "b": [1, None, True],
        "c": "\udc80",
        "d": {"x": "Infinity"},
    }


def test_a_table_too_wide_for_the_terminal_becomes_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["base", 12345678], ["other", 1]]
    assert table(["run", "steps"], rows) == ["run    steps", "base   12345678", "other  1"]
    monkeypatch.setenv("COLUMNS", "10")
    assert table(["run", "steps"], rows) == ["run: base", "steps: 12345678", "", "run: other", "steps: 1"]


SPEAK = """
import sys
from codex.cli import app
from codex.cli.output import Output
app._let_streams_hold_any_text()
out = Output()
out.say("\\u00e9 \\u2028 \\udc80")
out.step("stage", 1, 1, "\\u00e9")
out.result("probe", {}, text="data \\u00e9 \\udc80")
"""


@pytest.mark.parametrize(
    ("environment", "data"),
    [
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, rb"data \xe9 \udc80"),
        ({"PYTHONIOENCODING": "latin-1"}, b"data \xe9 \\udc80"),
        ({"PYTHONUTF8": "1"}, "data é ".encode() + b"\x80"),
    ],
)
def test_no_locale_stops_the_output(environment: dict[str, str], data: bytes) -> None:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))
    }
    answer = subprocess.run(
        [sys.executable, "-c", SPEAK], env={**clean, **environment}, capture_output=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, data + b"\n")
    assert b"Traceback" not in answer.stderr and answer.stderr.count(b"\n") == 2


def _on_a_terminal(words: list[str], environment: dict[str, str]) -> str:
    """What a process writes to a terminal that is its stderr."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
    process.wait()
    os.close(ours)
    return said.decode()


def test_colour_is_for_terminals_that_want_it() -> None:
    error = ["-m", "codex", "trian"]
    assert _on_a_terminal(error, {"NO_COLOR": ""}).startswith("\x1b[1;31merror:\x1b[0m UsageError: ")
    assert _on_a_terminal(error, {"NO_COLOR": "1"}).startswith("error: UsageError: ")
    assert _on_a_terminal(error, {"NO_COLOR": "", "TERM": "dumb"}).startswith("error: UsageError: ")
