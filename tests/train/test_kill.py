"""SIGKILL at any moment, then `--resume`, until it is done: the same bytes as a run that nobody killed.

A kill comes after a random time, or at a random system call that changes the disk (`CODEX_FAIL_POINTS`), over the whole life
of a run: reading text, training the tokenizer, writing shards, training, saving, the report. Every round begins with an empty
cache, and its first kill is among the calls of ingesting or of tokenizing, which are over too soon for many others to meet them;
until a save has been hit, the next kill is aimed at one.
`CODEX_TORTURE_KILLS=200` makes more of them (`make torture`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from codex.track.journal import differences
from tests.train.nursery import Nursery
from tests.train.tiny import TINY, write_corpus

KILLS = int(os.environ.get("CODEX_TORTURE_KILLS", "20"))
SEED = 4
# System calls that change the disk, about: first and last of ingesting and of tokenizing, and how many there are in all.
INGEST_POINTS, TOKENIZE_POINTS, POINTS = (10, 75), (100, 170), 550
STAGES = ("ingest", "tokenize", "train", "save")


def _words(text: Path) -> list[str]:
    keys = TINY | {"data.paths": f"[{text}]", "run.directory": "runs", "train.max_steps": "30"}
    keys |= {"checkpoint.every_steps": "5", "evaluate.every_steps": "10"}
    return ["train", "--resume", *(f"{key}={value}" for key, value in keys.items())]


def _stage(folder: Path) -> str:
    """What was being done when the process was killed, from what it left behind."""
    run, prepared = folder / "runs" / "tiny", folder / "cache" / "prepared"
    if any(run.glob("checkpoints/*.partial-*")):
        return "save"
    if (run / "metrics.ndjson").exists():
        return "train"
    if any(prepared.glob("splits/*/manifest.json")):
        return "tokenize"
    return "ingest" if run.exists() else "start"


def _result(folder: Path) -> dict[str, bytes]:
    """Every byte that must be the same: prepared data, checkpoints, report, lineage; the journal is compared apart."""
    run = folder / "runs" / "tiny"
    files = [
        *run.glob("checkpoints/step-*/*"),
        *run.glob("evaluation/*"),
        run / "lineage.json",
        run / "config.yaml",
    ]
    files += [path for path in folder.glob("cache/prepared/*/*/*") if path.name != "build.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _assert_same(whole: Path, broken: Path, how: str) -> None:
    expected, found = _result(whole), _result(broken)
    assert sorted(found) == sorted(expected), how
    assert [name for name in expected if found[name] != expected[name]] == [], how
    rows = "runs/tiny/metrics.ndjson"
    assert differences(whole / rows, broken / rows) == [], how
    # The empty lock file of a stage that was finished is swept when its folder is next built in.
    left = [
        str(path) for path in broken.rglob("*.partial-*") if path.suffix != ".owner" or path.stat().st_size
    ]
    assert left == [], f"{how}: half written things are left"


def test_killed_at_random_moments_it_ends_with_the_same_bytes(nursery: Nursery, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    write_corpus(tmp_path / "text", files=60)
    words = _words(tmp_path / "text")
    stages: Counter[str] = Counter()

    def attempt(folder: Path, **how: object) -> int:
        variables = {"CODEX_CACHE_DIR": str(folder / "cache"), **how}
        return nursery.run(*words, folder=folder, said=folder / "said", **variables)  # type: ignore[arg-type]

    whole = tmp_path / "whole"
    whole.mkdir()
    assert attempt(whole) == 0, (whole / "said").read_text()
    shutil.rmtree(whole)
    whole.mkdir()
    start = time.perf_counter()  # the second is the measure: the first also paged everything in
    assert attempt(whole) == 0, (whole / "said").read_text()
    life_s = time.perf_counter() - start

    kills = number = 0
    while kills < KILLS:
        number += 1
        broken = tmp_path / f"broken-{number}"
        broken.mkdir()
        code, history = -signal.SIGKILL, []
        while code != 0:
            if kills >= KILLS:
                how: dict[str, object] = {}
            elif not history:
                first, last = (INGEST_POINTS, TOKENIZE_POINTS)[number % 2]
                how = {"CODEX_FAIL_POINTS": f"*=kill@{draw.randint(first, last)}"}
            elif not stages["save"]:
                how = {"CODEX_FAIL_POINTS": f"checkpoint.model.write=kill@{draw.randint(1, 3)}"}
            elif draw.random() < 0.5:
                how = {"kill_after_s": draw.uniform(0, life_s)}
            else:
                how = {"CODEX_FAIL_POINTS": f"*=kill@{draw.randint(1, POINTS)}"}
            history.append(f"{how}")
            code = attempt(broken, **how)
            assert code in (0, -signal.SIGKILL), f"{history}\n{(broken / 'said').read_text()}"
            if code:
                kills += 1
                stages[_stage(broken)] += 1
        _assert_same(whole, broken, f"killed at {history}")
        shutil.rmtree(broken)
    print(f"{kills} kills in {number} runs of {life_s:.1f} s: {dict(stages)}")
    assert all(stages[stage] for stage in STAGES), f"a stage was never hit: {stages}"


def test_the_command_as_it_is_typed_survives_a_kill(tmp_path: Path) -> None:
    """A process of its own from the first import, killed once it has said that it is training, then resumed."""
    write_corpus(tmp_path / "text", files=60)
    words = [*_words(tmp_path / "text"), "train.max_steps=400", "checkpoint.every_steps=20"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CODEX_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "codex", *words, "--json"]
    checkpoints = tmp_path / "runs" / "tiny" / "checkpoints"
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not list(checkpoints.glob("step-????????/manifest.json")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    assert facts["step"] == 400 and facts["first_step"] % 20 == 0 and 0 < facts["first_step"] < 400
