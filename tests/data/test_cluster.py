"""`ingest --engine ray`: a corpus on two nodes of a real Ray cluster, one of which dies, gives the bytes of one machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import psutil
import pytest
import ray  # noqa: F401 - without it this file is left out

from codex.config.schema import Data
from codex.data.source import source_of
from codex.data.units import cut_units
from codex.file import Lock
from tests.data import nodes

Codex = Callable[..., "subprocess.CompletedProcess[str]"]
Tree = Callable[[Path], dict[str, str]]


class Cluster:
    """Two nodes, the second of which can be killed."""

    def __init__(self) -> None:
        words = [sys.executable, nodes.__file__]
        self._process = subprocess.Popen(words, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = self._said()

    def _said(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def kill_second(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        assert self._said() == "killed"

    def shards_being_read(self) -> int:
        assert self._process.poll() is None
        count = 0
        for child in psutil.Process(self._process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                count += "_read_shard" in child.name()
        return count

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.end()


def corpus_of_units(folder: Path, units: int) -> int:
    """Fills `folder` until it is read in as many units or more, and says in how many."""
    folder.mkdir()
    for number in count():
        (folder / f"{number:05}.txt").write_text(f"number {number} of all\n")
        if number % 4096 == 0:
            found = len(cut_units(source_of(Data(corpus=None, paths=(str(folder),))).listing.files))
            if found >= units:
                return found
    raise AssertionError


def test_a_node_that_is_killed_costs_no_byte(
    cluster: Cluster, codex: Codex, tree: Tree, tmp_path: Path
) -> None:
    shards = min(corpus_of_units(tmp_path / "raw", 4), 2 * 4)
    units = tmp_path / "out" / ".units"
    units.mkdir(parents=True)
    words = ["data", "ingest", "raw", "--out", "out", "--engine", "ray"]
    with ExitStack() as started, ExitStack() as held:
        # Both nodes come to a shard that they have to wait for, whatever the moment.
        for number in range(2, shards + 1):
            held.enter_context(Lock(units / f"shard-{number}-of-{shards}.lock"))
        ingest = started.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "codex", *words],
                cwd=tmp_path,
                env={**os.environ, "RAY_ADDRESS": cluster.address},
                text=True,
                stderr=subprocess.PIPE,
            )
        )
        started.callback(ingest.kill)
        while not any(units.glob("*.json")) or cluster.shards_being_read() < 2:
            assert ingest.poll() is None
            time.sleep(0.05)
        cluster.kill_second()
        first = set(units.glob("*.json"))
        held.close()
        _, said = ingest.communicate()
    assert ingest.returncode == 0, said
    assert f"{shards} shards on 2 machines" in said
    assert first < set(units.glob("*.json")), "nothing was left to do when the node died"
    alone = codex("data", "ingest", "raw", "--out", "alone")
    assert alone.returncode == 0, alone.stderr
    assert tree(tmp_path / "out" / "records") == tree(tmp_path / "alone" / "records")


def test_what_a_shard_meets_is_said_as_on_one_machine(cluster: Cluster, codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.txt").write_text("a text\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".units").write_text("in the way")
    environment = {"RAY_ADDRESS": cluster.address}
    words = ["data", "ingest", "raw", "--out", "out"]
    local, spread = (
        codex(*words, "--engine", engine, environment=environment) for engine in ("local", "ray")
    )
    assert local.returncode == spread.returncode == 5
    assert spread.stderr.splitlines()[-1] == local.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("127.0.0.1:9", 5, "no Ray cluster at `127.0.0.1:9`"),
        ("", 2, "RAY_ADDRESS is ``, expected the HOST:PORT"),
        ("here", 2, "RAY_ADDRESS is `here`, expected the HOST:PORT"),
    ],
)
def test_without_a_cluster_nothing_is_begun(
    codex: Codex, tmp_path: Path, address: str, code: int, said: str
) -> None:
    (tmp_path / "a.txt").write_text("a text\n")
    words = ["data", "ingest", "a.txt", "--out", "out", "--engine", "ray"]
    ran = codex(*words, environment={"RAY_ADDRESS": address})
    assert ran.returncode == code
    assert said in ran.stderr
    assert "ray start --head" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_a_shard_and_all_of_them_is_refused(here: Codex) -> None:
    ran = here("data", "ingest", "a.txt", "--engine", "ray", "--shard", "1/2")
    assert ran.returncode == 2
    assert "expected one of the two" in ran.stderr
