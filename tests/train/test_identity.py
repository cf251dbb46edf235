"""Killed in the middle of an epoch, of a gathered gradient, of a save: 0 bits of weights, optimizer, generators, losses and
batches differ from those of a run that nobody killed.

Dropout is on, a step gathers its gradient from three passes, and an epoch ends between two checkpoints. Saves are
synchronous, or run beside the steps. `CODEX_TORTURE_KILLS=200` makes more kills (`make torture`).
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from codex.track.journal import differences
from tests.train.nursery import Nursery
from tests.train.tiny import TINY, write_corpus

KILLS = int(os.environ.get("CODEX_TORTURE_KILLS", "20"))
STEPS, PASSES = 30, 3
KEYS = TINY | {
    "model.dropout": "0.2",
    "train.accumulate_steps": f"{PASSES}",
    "train.micro_batch_size": "2",
    "train.max_steps": f"{STEPS}",
    "train.log_every_steps": "4",
    "checkpoint.every_steps": "5",
    "checkpoint.keep_last": "3",
    "evaluate.every_steps": "10",
    "data.validation_fraction": "0.4",
    "run.directory": "runs",
}


def _result(folder: Path) -> dict[str, bytes]:
    run = folder / "runs" / "tiny"
    files = [*run.glob("checkpoints/step-*/*"), *run.glob("evaluation/*"), run / "lineage.json", run / "best"]
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def _batches(folder: Path) -> dict[int, set[str]]:
    """Every line that was written about each batch: one, however often it was given."""
    seen = defaultdict(set)
    for line in (folder / "seen").read_text().splitlines():
        index, _, rest = line.partition(" ")
        seen[int(index)].add(rest)
    return seen


def _kind(kill_at: int) -> str:
    if not kill_at:
        return "before a system call"
    return "before a step" if kill_at % PASSES == 1 else "between passes"


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_killed_anywhere_no_bit_differs(nursery: Nursery, tmp_path: Path, asynchronous: str) -> None:
    draw = random.Random(11)
    write_corpus(tmp_path / "text", files=8)
    words = [f"{key}={value}" for key, value in KEYS.items()]
    words += [f"data.paths=[{tmp_path / 'text'}]", f"checkpoint.asynchronous={asynchronous}"]
    kinds: Counter[str] = Counter()

    def attempt(folder: Path, kill_at: int = 0, **variables: str) -> int:
        variables |= {"CODEX_CACHE_DIR": str(tmp_path / "cache")}
        variables |= {"WATCH": str(folder / "seen"), "KILL_AT": str(kill_at)}
        return nursery.run("train", "--resume", *words, folder=folder, said=folder / "said", **variables)

    whole = tmp_path / "whole"
    whole.mkdir()
    assert attempt(whole) == 0, (whole / "said").read_text()
    expected, batches = _result(whole), _batches(whole)
    newest = f"checkpoints/step-{STEPS:08}"
    position = json.loads(expected[f"{newest}/state.json"])["data"]
    assert position["index"] == STEPS and position["epoch"] == 1, "an epoch ends on the way"
    assert all(len(lines) == 1 for lines in batches.values()) and len(batches) == STEPS

    while sum(kinds.values()) < KILLS:
        broken = tmp_path / f"broken-{sum(kinds.values())}"
        broken.mkdir()
        history, code = [], -signal.SIGKILL
        while code:
            kill_at, points = 0, ""
            if sum(kinds.values()) < KILLS:
                if draw.random() < 0.5:
                    kill_at = draw.randint(2, 12 * PASSES)
                else:
                    points = f"*=kill@{draw.randint(1, 120)}"
            history.append(f"pass {kill_at}" if kill_at else points)
            code = attempt(broken, kill_at, CODEX_FAIL_POINTS=points)
            assert code in (0, -signal.SIGKILL), f"{history}\n{(broken / 'said').read_text()}"
            if code:
                kinds[_kind(kill_at)] += 1
        found = _result(broken)
        assert sorted(found) == sorted(expected), history
        assert [name for name in expected if found[name] != expected[name]] == [], history
        assert _batches(broken) == batches, history
        rows = "runs/tiny/metrics.ndjson"
        assert differences(whole / rows, broken / rows) == [], history
    print(f"asynchronous: {asynchronous}, kills: {dict(kinds)}")
    assert len(kinds) == 3, "every kind of moment was met"
