"""An outside judge: ckpt-chaos crashes `codex train`, resumes it, and says whether anything was lost or differs.

It counts a crash only where one was injected, so a run without any is a failure here. `CODEX_TORTURE_KILLS=200` asks for that
many (`make torture`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.train import chaos_target
from tests.train.nursery import Nursery
from tests.train.tiny import TINY, write_corpus

pytest.importorskip("ckpt_chaos", reason="needs the development package ckpt-chaos")

CRASHES = int(os.environ.get("CODEX_TORTURE_KILLS", "4"))
# System calls that change the disk in this run, once its data are prepared: fewer than it has, so that each is passed.
CALLS = 230


@contextmanager
def _forked_on_order(nursery: Nursery, orders: Path, answers: Path, **variables: str) -> Iterator[None]:
    """Runs what is written to the pipe `orders`, one at a time, and writes how it ended to `answers`."""
    os.mkfifo(orders)
    os.mkfifo(answers)

    def serve() -> None:
        while order := orders.read_text():
            asked = json.loads(order)
            folder, said = Path(asked.pop("folder")), Path(asked.pop("said"))
            code = nursery.run(*asked.pop("words"), folder=folder, said=said, **asked, **variables)
            answers.write_text(str(code))

    server = Thread(target=serve)
    server.start()
    yield
    orders.write_text("")
    server.join()


@pytest.mark.parametrize("asynchronous", ["false", "true"])
def test_it_finds_nothing_lost_and_nothing_silent(
    nursery: Nursery, tmp_path: Path, asynchronous: str
) -> None:
    write_corpus(tmp_path / "text")
    keys = TINY | {
        "run.directory": "runs",
        "data.paths": f"[{tmp_path / 'text'}]",
        "model.dropout": "0.1",
        "checkpoint.keep_last": "100",
        "checkpoint.asynchronous": asynchronous,
    }
    target = [sys.executable, chaos_target.__file__, "{out}", "train", "--resume"]
    target += [f"{key}={value}" for key, value in keys.items()]
    orders, answers = tmp_path / "orders", tmp_path / "answers"
    environment = {
        **os.environ,
        "CHAOS_POINTS": " ".join(f"*=kill@{1 + number * CALLS // CRASHES}" for number in range(CRASHES)),
        "CHAOS_ORDERS": str(orders),
        "CHAOS_ANSWERS": str(answers),
    }
    checkpoints = "{out}/runs/tiny/checkpoints"
    judge = [sys.executable, "-m", "ckpt_chaos", "run", "--work", str(tmp_path / "work")]
    judge += ["--modes", "before", "--max-points", str(CRASHES)]
    judge += [
        "--checkpoint-glob",
        f"{checkpoints}/step-????????",
        "--step-regex",
        r"resuming from .*/step-(\d+)",
    ]
    judge += [
        "--result-file",
        f"{checkpoints}/step-00000012/manifest.json",
    ]  # it covers every byte of the rest
    judge += ["--fail-on", "HARD_FAIL,SILENT_DIVERGENCE,LOST_WORK"]
    with _forked_on_order(nursery, orders, answers, CODEX_CACHE_DIR=str(tmp_path / "cache")):
        first = [*target[:2], str(tmp_path / "first"), *target[3:]]  # prepares the data
        subprocess.run(first, env=environment, check=True, capture_output=True)
        done = subprocess.run([*judge, "--", *target], env=environment, capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 checkpoints in the fault-free run, steps [4, 8, 12]" in done.stdout
    assert f"PASS: {CRASHES + 1}\n" in done.stdout, "the crashes, and a run without one"
    results = [json.loads(path.read_bytes()) for path in (tmp_path / "work").glob("pt_*/result.json")]
    injected = [one for one in results if one["crashed"] and not one["drift"]]
    assert len(injected) == CRASHES
    resumed = {one["outcome"]["resumed_from_step"] for one in injected}
    assert resumed >= {None, 4, 8}, "before the first checkpoint, and after each"
