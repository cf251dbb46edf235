"""`ingest --shard i/n`: shards in any order, again and again, then the whole: the bytes of one run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import codex.data.units
from codex.config.schema import Config
from codex.data.prepare import prepare_shard, prepare_until
from codex.data.store import Place
from codex.errors import LockError, UsageError
from codex.file import Lock

Tree = Callable[[Path], dict[str, str]]


@pytest.fixture(autouse=True)
def _small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codex.data.units, "_UNIT_FILES", 4)


def test_shards_give_the_bytes_of_one_run(config: Config, tree: Tree, tmp_path: Path) -> None:
    whole = prepare_until("records", config, place=Place(tmp_path / "c", tmp_path / "whole"))["records"]
    place = Place(tmp_path / "c", tmp_path / "out")
    files = records = 0
    for number in (3, 1, 2):
        counts = prepare_shard(config, number, 3, place=place)["counts"]
        files, records = files + counts["files"], records + counts["records"]
    units = sorted((tmp_path / "out" / ".units").glob("*.json"))
    made = [path.stat().st_ino for path in units]
    assert counts == prepare_shard(config, 2, 3, place=place)["counts"]
    prepare_until("records", config, place=place)
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")
    assert made == [path.stat().st_ino for path in units] and len(made) > 6
    assert files == whole.manifest["counts"]["files"]
    assert records == whole.manifest["counts"]["records"] + whole.manifest["dropped"]["duplicate"]


def test_a_file_that_cannot_be_read_is_of_its_shard_alone(
    config: Config, corpus: Path, tmp_path: Path
) -> None:
    place = Place(tmp_path / "c", tmp_path / "out")
    skipped = [prepare_shard(config, number, 2, place=place)["counts"]["skipped"] for number in (1, 2)]
    manifest = prepare_until("records", config, place=place)["records"].manifest
    # Links and what is too large were not listed as files; twins are found by the whole run.
    of_listing = 2 + manifest["dropped"]["duplicate"]
    assert sum(skipped) == manifest["counts"]["skipped"] - of_listing


def test_the_same_shard_twice_at_a_time_is_refused_by_name(config: Config, tmp_path: Path) -> None:
    place = Place(tmp_path / "c", tmp_path / "out")
    prepare_shard(config, 1, 2, place=place)
    with Lock(tmp_path / "out" / ".units" / "shard-1-of-2.lock"):
        with pytest.raises(LockError, match=str(os.getpid())):
            prepare_shard(config, 1, 2, place=place)
        prepare_shard(config, 2, 2, place=place)


@pytest.mark.parametrize(("number", "count"), [(0, 2), (3, 2), (1, 0)])
def test_a_shard_that_is_none_is_refused(config: Config, tmp_path: Path, number: int, count: int) -> None:
    with pytest.raises(UsageError, match=rf"shard {number} of {count} is none"):
        prepare_shard(config, number, count, place=Place(tmp_path))
