"""SIGKILL at random moments of `ingest`, `split` and `tokenize`, once or several times, then a run to the end: the same bytes.

A moment is the n-th call that changes the disk, made by Rust (`CODEX_FAIL_POINTS`) or by Python (an audit hook), n drawn by a
seed; no clock decides.
`CODEX_TORTURE_DATA_KILLS=50` makes more of them (`make torture`).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from codex.data.verify import verify
from codex.errors import MissingDataError

KILLS = int(os.environ.get("CODEX_TORTURE_DATA_KILLS", "4"))
SEED = 8
Tree = Callable[[Path], dict[str, str]]

# The command, in a process that ends before the n-th call of Python's that changes something below the working directory.
COMMAND = """
import os, signal, sys

left, home = int(sys.argv.pop(1)), os.getcwd()

def watch(event, arguments):
    global left
    writes = event in ("os.remove", "os.rmdir", "os.mkdir", "os.rename", "os.utime", "shutil.rmtree") or (
        event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
    )
    if writes and (not os.path.isabs(path := os.fsdecode(arguments[0])) or path.startswith(home)):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
from codex.cli.app import main
main()
"""
# Calls that change the disk, about, of each command: among so many the moment is drawn.
CALLS = {
    "rust": {"ingest": 60, "split": 30, "tokenize": 50},
    "python": {"ingest": 15, "split": 8, "tokenize": 8},
}


def write_raw(folder: Path) -> None:
    """Texts enough for several units, some alike, and one of each format that Python reads."""
    draw = random.Random(SEED)
    folder.mkdir()
    words = [f"word{number}" for number in range(400)]
    for number in range(900):
        text = " ".join(draw.choices(words, k=40))
        (folder / f"{number:03}.txt").write_text(f"{text}\n")
        if number % 50 == 0:
            (folder / f"{number:03} alike.txt").write_text(f"{text} more\n")
    (folder / "page.html").write_text("<p>some words</p>")
    (folder / "rows.jsonl").write_text("".join(json.dumps({"text": f"row {n}"}) + "\n" for n in range(50)))
    (folder / "latin.txt").write_bytes("naïve café\n".encode("latin-1") * 40)
    (folder / "binary").write_bytes(b"\0")


def words_of(command: str) -> list[str]:
    near = ["data.near_duplicates=drop"]
    return {
        "ingest": ["ingest", "raw", "--out", "out", *near],
        "split": ["split", "out", *near],
        "tokenize": ["tokenize", "out", "tokens.vocabulary_size=300"],
    }[command]


def run(folder: Path, command: str, *, by: str = "nobody", at: int = 0) -> int:
    """The exit code, or minus the signal, of a command killed by one of both at a moment."""
    environment = {**os.environ, "CODEX_CACHE_DIR": str(folder / "cache")}
    if by == "rust":
        environment["CODEX_FAIL_POINTS"] = f"*=kill@{at}"
    moment = str(at if by == "python" else 0)
    line = [sys.executable, "-c", COMMAND, moment, "data", *words_of(command)]
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def assert_nothing_half(out: Path) -> None:
    """What stands under its name is whole; raw files did not change, so they give the same."""
    try:
        report = verify(out)
    except MissingDataError:
        return
    assert (report.problems, report.differences) == ([], [])


def test_killed_at_random_moments_the_commands_end_with_the_same_bytes(tree: Tree, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    write_raw(whole / "raw")
    for command in CALLS["rust"]:
        assert run(whole, command) == 0
    expected = tree(whole / "out")
    assert len([name for name in expected if name.startswith(".units/") and name.endswith(".json")]) > 1

    draw = random.Random(SEED)
    kills: Counter[str] = Counter()
    rounds = 0
    while kills.total() < KILLS:
        home = tmp_path / str(rounds)
        home.mkdir()
        (home / "raw").symlink_to(whole / "raw")
        for command in CALLS["rust"]:
            for _ in range(draw.randint(1, 3)):
                by = draw.choice(["rust", "python"])
                if run(home, command, by=by, at=draw.randint(1, CALLS[by][command])) == 0:
                    break
                kills[f"{command}, {by}"] += 1
                assert_nothing_half(home / "out")
            assert run(home, command) == 0
        assert tree(home / "out") == expected, f"round {rounds}: {dict(kills)}"
        left = [
            path
            for path in (home / "out").rglob("*.partial-*")
            if path.suffix != ".owner" or path.stat().st_size
        ]
        assert left == []
        rounds += 1
    print(f"{kills.total()} kills in {rounds} rounds: {dict(kills)}")
    if KILLS >= 50:
        assert {line.split(",")[0] for line in kills} == set(CALLS["rust"])
