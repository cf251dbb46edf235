"""`codex train` as processes that meet others and signals."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

from codex import checkpoint
from tests.train.tiny import TINY, write_corpus


def test_a_second_process_is_refused_and_the_first_saves_when_told_to_stop(tmp_path: Path) -> None:
    write_corpus(tmp_path / "text")
    keys = TINY | {
        "data.paths": f"[{tmp_path / 'text'}]",
        "train.max_steps": "1000000",
        "checkpoint.every_steps": "50",
        "evaluate.every_steps": "1000000",
        "checkpoint.asynchronous": "true",
    }
    command = [sys.executable, "-m", "codex", "train", *(f"{key}={value}" for key, value in keys.items())]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CODEX_CACHE_DIR": str(tmp_path / "cache")}
    checkpoints = tmp_path / "runs" / "tiny" / "checkpoints"
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as owner:
        deadline = time.monotonic() + 240
        while not list(checkpoints.glob("step-????????/manifest.json")):
            assert owner.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        second = subprocess.run(
            [*command, "--resume"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert second.returncode == 5 and "LockError" in second.stderr
        assert f"process {owner.pid} on {platform.node()}" in second.stderr
        owner.send_signal(signal.SIGTERM)
        _, said = owner.communicate(timeout=240)
    assert owner.returncode == 143
    newest = checkpoint.find_latest(checkpoints)
    assert newest is not None and newest.skipped == []
    assert f"interrupted after step {newest.step}, saved in" in said
    assert (tmp_path / "runs" / "tiny" / "latest").read_text() == f"step-{newest.step:08}\n"
