"""`codex runs`: what the folder says, whether its run is done, killed or still going."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.cli.app import run as codex_in_process
from codex.config import load
from codex.file import write_manifest
from codex.track.run import Run

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`base` is finished, `base-2` was left early; the rows are made with times of their own."""
    monkeypatch.setattr("codex.track.journal.now", lambda: "2026-11-21T12:00:00.000Z")
    loaded = load(
        "base", [f"run.directory={tmp_path / 'runs'}", "track.system_metrics=false", "train.max_steps=50"]
    )
    with Run.start(loaded) as run:
        run.record_data([{"kind": "records", "digest": "sha256:1"}])
        run.begin(0)
        run.journal.metrics(25, "train", loss=3.25, learning_rate=0.02)
        run.journal.metrics(25, "held_out", bits_per_byte=2.5)
        run.journal.metrics(50, "train", loss=2.125, learning_rate=0.001)
        run.journal.metrics(50, "held_out", bits_per_byte=2.75)
        folder = run.checkpoints / "step-00000050"
        folder.mkdir()
        write_manifest(folder, {"kind": "checkpoint", "schema_version": 1, "files": []})
        run.record_checkpoint(folder, 50)
        run.finish()
    with Run.start(loaded) as run:
        run.begin(0)
    return tmp_path / "runs"


LIST = """\
run     state     steps  loss   bits/byte  started
base    finished  50/50  2.125  2.5        2026-11-21T12:00:00.000Z
base-2  stopped   0/50   -      -          2026-11-21T12:00:00.000Z
"""

NARROW = """\
run: base
state: finished
steps: 50/50
loss: 2.125
bits/byte: 2.5
started: 2026-11-21T12:00:00.000Z

run: base-2
state: stopped
steps: 0/50
loss: -
bits/byte: -
started: 2026-11-21T12:00:00.000Z
"""


def test_list_shows_every_run(runs: Path, codex: Codex) -> None:
    answer = codex("runs", "list", environment={"COLUMNS": "80"})
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, LIST, "")
    assert codex("runs", "list", environment={"COLUMNS": "20"}).stdout == NARROW


def test_list_without_runs_says_how_to_start_one(codex: Codex, tmp_path: Path) -> None:
    answer = codex("runs", "list")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr == "no runs in `runs`: start one with `codex train`\n"
    assert json.loads(codex("runs", "list", "--json", "--quiet").stdout) == {
        "schema_version": 1,
        "kind": "runs.list",
        "directory": "runs",
        "runs": [],
    }


def test_show_says_what_the_folder_holds(runs: Path, codex: Codex) -> None:
    answer = codex("runs", "show", "base")
    digest = load(runs / "base" / "config.resolved.yaml").config.digest
    lines = answer.stdout.splitlines()
    assert lines[:-1] == [
        "run: base",
        "folder: runs/base",
        "state: finished (all steps are done)",
        "steps: 50 of 50",
        "started: 2026-11-21T12:00:00.000Z",
        f"config: {digest}",
        "train at step 50: loss 2.125, learning_rate 0.001",
        "held_out at step 50: bits_per_byte 2.75",
        "best held-out bits per byte: 2.5",
    ]
    assert lines[-1].startswith("checkpoint: step-00000050 sha256:")
    by_path = codex("runs", "show", str(runs / "base-2"), "--json")
    facts = json.loads(by_path.stdout)
    assert (facts["kind"], facts["state"], facts["checkpoints"]) == ("runs.show", "stopped", [])


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("bas",), "there is `base`, `base-2`"),
        (("base", "--directory", "elsewhere"), "start one with `codex train`"),
    ],
)
def test_a_run_that_is_not_there_is_exit_3(
    words: tuple[str, ...], hint: str, runs: Path, codex: Codex
) -> None:
    answer = codex("runs", "show", *words)
    where = words[-1] if len(words) > 1 else "runs"
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr == (
        f"error: MissingDataError: there is no run `{words[0]}` in `{where}`\n\nhint: {hint}\n"
    )


def test_a_damaged_journal_is_exit_4(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = runs / "base" / "metrics.ndjson"
    journal.write_bytes(b"{" + journal.read_bytes())
    assert codex_in_process(["runs", "list", "--directory", str(runs)]) == 4
    assert capsys.readouterr().err == f"error: DamageError: `{journal}` line 1 is not a row\n"
