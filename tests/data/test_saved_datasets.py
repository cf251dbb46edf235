"""Folders that `datasets` saved: all of the data, nothing but the data, and an error where some is missing."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import datasets

from codex.data.saved_datasets import leftover_files
from codex.errors import DataError, MissingDataError
from codex.records import read_records

Codex = Callable[..., "subprocess.CompletedProcess[str]"]
datasets.disable_progress_bars()


def saved(folder: Path, *texts: str, shards: int = 1) -> datasets.Dataset:
    data = datasets.Dataset.from_dict({"text": list(texts), "n": list(range(len(texts)))})
    data.save_to_disk(folder, num_shards=shards)
    return data


def test_all_of_a_dictionary_is_read_and_no_leftover(codex: Codex, tmp_path: Path) -> None:
    home = tmp_path / "saved [1]*"
    data = datasets.Dataset.from_dict({"text": ["one", "two", "three"]})
    datasets.DatasetDict(
        {"train": data, "test": data.select([2]).map(lambda row: {"text": "four"})}
    ).save_to_disk(home)
    saved(tmp_path / "before", "from an older save", "and more of it", shards=2)
    for path in (tmp_path / "before").glob("*.arrow"):
        path.rename(home / "train" / path.name)
    (home / "train" / "cache-1234.arrow").write_bytes(b"a map of something")
    done = codex("data", "ingest", str(home), "--corpus", "hf", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    records = list(read_records(tmp_path / "out" / "records" / "records.ndjson"))
    assert sorted((record.text, record.source.path.partition("/")[0]) for record in records) == [
        ("four", "test"),
        ("one", "train"),
        ("three", "train"),
        ("two", "train"),
    ]
    only = codex(
        "data", "ingest", str(home), "--corpus", "hf", "data.include=[test/**]", "--out", "o", "--json"
    )
    assert json.loads(only.stdout)["stages"]["records"]["counts"]["records"] == 1


def test_parquet_as_the_hub_keeps_it_is_read(codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "hub" / "data").mkdir(parents=True)
    data = datasets.Dataset.from_dict({"content": ["one", "two"]})
    data.to_parquet(tmp_path / "hub" / "data" / "train-00000-of-00001.parquet")
    done = codex("data", "ingest", "hub", "--corpus", "hf", "data.text_key=content", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stages"]["records"]["counts"]["records"] == 2


def test_two_saved_folders_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        saved(tmp_path / name, name)
        (tmp_path / name / "data-00000-of-00009.arrow").write_bytes(b"")
    assert leftover_files([tmp_path / "a", tmp_path / "b"]) == [
        "/a/data-00000-of-00009.arrow",
        "/b/data-00000-of-00009.arrow",
    ]


def test_a_file_or_a_split_that_is_missing_is_an_error(codex: Codex, tmp_path: Path) -> None:
    saved(tmp_path / "a", "one", "two", shards=2)
    (tmp_path / "a" / "data-00001-of-00002.arrow").unlink()
    done = codex("data", "ingest", "a", "--corpus", "hf")
    assert done.returncode == 3
    assert "state.json` lists the file `data-00001-of-00002.arrow`, which is not there" in done.stderr
    data = datasets.Dataset.from_dict({"text": ["one"]})
    datasets.DatasetDict({"train": data}).save_to_disk(tmp_path / "b")
    (tmp_path / "b" / "train" / "state.json").unlink()
    with pytest.raises(MissingDataError, match="lists the split `train`, which is not there"):
        leftover_files([tmp_path / "b"])


@pytest.mark.parametrize("note", ["{", '{"_data_files": 3}', '{"_data_files": [{}]}', '{"_data_files": [3]}'])
def test_a_list_that_is_none_is_an_error(tmp_path: Path, note: str) -> None:
    (tmp_path / "state.json").write_text(note)
    with pytest.raises(DataError, match=r"state\.json`"):
        leftover_files([tmp_path])
