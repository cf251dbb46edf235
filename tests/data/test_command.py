"""`codex data ...` as a stranger runs it: what it prints, what it leaves, the exit code of every failure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Codex = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def keys(corpus: Path) -> list[str]:
    """Overrides that make a command read `corpus`."""
    return [
        "data.corpus=null",
        f"data.paths=[{json.dumps(str(corpus))}]",
        "data.maximum_file_bytes=20000",
        "data.validation_fraction=0.25",
        "tokens.vocabulary_size=300",
    ]


def facts(done: CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout.count("\n") == 1, done
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("command", "stages"),
    [
        ("ingest", ["records"]),
        ("split", ["records", "splits"]),
        ("tokenize", ["records", "splits", "tokenizer", "shards"]),
    ],
)
def test_each_command_builds_up_to_its_stage(
    codex: Codex, keys: list[str], tmp_path: Path, command: str, stages: list[str]
) -> None:
    done = codex("data", command, "--out", "some where", "--json", *keys)
    assert done.returncode == 0, done.stderr
    found = facts(done)
    assert found["kind"] == f"data.{command}" and found["schema_version"] == 1
    assert list(found["stages"]) == stages
    assert all(stage["built"] for stage in found["stages"].values())
    made = (tmp_path / "some where").glob("[!.]*")
    assert sorted(path.name for path in made if path.is_dir()) == sorted(stages)
    assert found["stages"]["records"]["counts"]["records"] == 25
    assert len(found["stages"]["records"]["skipped"]) == 9


def test_second_run_finds_what_the_first_built(here: Codex, keys: list[str]) -> None:
    here("data", "tokenize", *keys)
    done = here("data", "tokenize", *keys)
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["records", "found"],
        ["splits", "found"],
        ["tokenizer", "found"],
        ["shards", "found"],
    ]
    assert "25 records" in done.stderr and "corpus" in done.stderr


def test_skipped_files_are_named(here: Codex, keys: list[str]) -> None:
    done = here("data", "ingest", *keys)
    assert "binary.bin: not text: NUL byte at 4" in done.stderr
    assert "a b/document 03.txt" in done.stderr
    assert here("data", "ingest", "--quiet", *keys).stderr == ""


def test_ingest_ends_with_what_went_in_and_what_was_dropped_by_reason(here: Codex, keys: list[str]) -> None:
    found = facts(here("data", "ingest", "--json", *keys))
    records = found["stages"]["records"]
    assert sum(found["dropped"].values()) == len(records["skipped"]) == 9
    assert {"duplicate", "empty", "not text"} <= set(found["dropped"])
    assert found["dropped"]["duplicate"] == sum(
        entry["reason"].startswith("duplicate of ") for entry in records["skipped"]
    )
    stage, _, header, totals, _, second, *rows = here("data", "ingest", *keys).stdout.splitlines()
    assert stage.startswith("records   found")
    assert header.split() == ["files", "bytes", "documents", "bytes", "of", "text"]
    counts = records["counts"]
    names = ("files", "file_bytes", "records", "text_bytes")
    assert totals.split() == [f"{counts[name]:,}" for name in names]
    assert second.split() == ["dropped", "because"]
    assert [row.split(maxsplit=1) for row in rows] == [
        [str(count), kind] for kind, count in found["dropped"].items()
    ]


def test_list_shows_corpora_and_what_is_prepared(here: Codex, keys: list[str], tmp_path: Path) -> None:
    environment = {"CODEX_CACHE_DIR": str(tmp_path / "cache")}
    before = here("data", "list", environment=environment)
    assert before.returncode == 0
    assert "python-stdlib" in before.stdout and "nothing is prepared in" in before.stdout
    here("data", "split", *keys, environment=environment)
    found = facts(here("data", "list", "--json", environment=environment))
    assert "python-stdlib" in [entry["name"] for entry in found["corpora"]]
    assert [(entry["stage"], entry["state"]) for entry in found["prepared"]] == [
        ("records", "whole"),
        ("splits", "whole"),
    ]
    text = here("data", "list", environment=environment).stdout
    assert found["prepared"][0]["key"][:12] in text and "25 records, 9 files skipped" in text


def test_list_names_a_damaged_manifest(here: Codex, keys: list[str], tmp_path: Path) -> None:
    environment = {"CODEX_CACHE_DIR": str(tmp_path / "cache")}
    here("data", "ingest", *keys, environment=environment)
    manifest = next((tmp_path / "cache").rglob("manifest.json"))
    manifest.write_bytes(manifest.read_bytes()[:-20])
    done = here("data", "list", "--json", environment=environment)
    assert done.returncode == 0
    assert facts(done)["prepared"][0]["state"].startswith("unusable: ")


def test_verify_passes_what_is_whole(here: Codex, keys: list[str], tmp_path: Path) -> None:
    environment = {"CODEX_CACHE_DIR": str(tmp_path / "cache")}
    here("data", "tokenize", *keys, environment=environment)
    done = here("data", "verify", environment=environment)
    same, whole = done.stdout.splitlines()
    assert (done.returncode, whole) == (0, f"4 folders in {tmp_path / 'cache'}: all is as it was written")
    assert same.endswith(": its raw files give the same")


def test_verify_names_file_and_part_and_exits_4(here: Codex, keys: list[str], tmp_path: Path) -> None:
    here("data", "tokenize", "--out", "out", *keys)
    path = next((tmp_path / "out" / "shards").glob("train-*"))
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    done = here("data", "verify", "out")
    assert done.returncode == 4
    assert path.name in done.stdout and "problems: 1" in done.stdout
    found = facts(here("data", "verify", "out", "--json"))
    assert len(found["problems"]) == 1 and path.name in found["problems"][0]["reason"]


FAILURES = [
    (["ingest", "data.corpus=null", "data.paths=[nowhere]"], 3, "nowhere` does not exist"),
    (
        ["ingest", "data.corpus=null", "data.paths=[/dev/null]"],
        3,
        "is a character device, expected a file or folder",
    ),
    (["ingest", "data.corpus=null", "data.paths=[empty folder]"], 3, "the corpus is empty"),
    (["ingest", "data.corpus=null", "data.paths=[binary]"], 3, "holds no text"),
    (["ingest", "data.corpus=python-stdlb"], 2, "unknown corpus `python-stdlb`"),
    (["split", "data.corpus=null", "data.paths=[lone]"], 3, "none of the 1 records falls into split"),
    (["ingest", "--config", "nowhere.yaml"], 2, "nowhere.yaml"),
    (["ingest", "--config", "empty folder"], 2, "empty folder"),
    (["ingest", "data.include=['[z-a]']"], 2, "is no glob"),
    (["verify", "nowhere"], 3, "no prepared data in `nowhere`"),
    (["verify", "lone"], 3, "is a file, expected a folder of prepared data"),
    (
        ["ingest", "--out", "lone", "data.corpus=null", "data.paths=[more]"],
        5,
        "cannot create `lone`: file exists",
    ),
]


@pytest.mark.parametrize(
    ("words", "code", "message"), FAILURES, ids=[" ".join(words) for words, _, _ in FAILURES]
)
def test_failure_is_one_block_with_its_exit_code(
    words: list[str], code: int, message: str, here: Codex, tmp_path: Path
) -> None:
    (tmp_path / "empty folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\0\1")
    (tmp_path / "lone").write_text("one text")
    (tmp_path / "more").write_text("another text")
    done = here("data", *words)
    assert done.returncode == code
    assert done.stdout == "" and message in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("error: ") == 1


def test_full_disk_exits_5_and_leaves_nothing(codex: Codex, keys: list[str], tmp_path: Path) -> None:
    done = codex("data", "ingest", "--out", "out", *keys, environment={"CODEX_FAIL_POINTS": "*=enospc@4"})
    assert done.returncode == 5 and "DiskFullError" in done.stderr
    assert [path for path in (tmp_path / "out").glob("*") if path.is_dir()] == []


def test_unwritable_cache_exits_5_and_names_the_variable(
    here: Codex, keys: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = here("data", "ingest", *keys, environment={"CODEX_CACHE_DIR": str(tmp_path / "file")})
    assert done.returncode == 5
    assert "cannot create" in done.stderr and "CODEX_CACHE_DIR" in done.stderr


def test_unreadable_corpus_exits_3(here: Codex, tmp_path: Path) -> None:
    # `/proc/1/mem` style files: there, regular, and not to be read by anybody.
    if os.geteuid() == 0:
        done = here("data", "ingest", "data.corpus=null", "data.paths=[/proc/self/mem]")
    else:
        (tmp_path / "closed").mkdir(mode=0)
        done = here("data", "ingest", "data.corpus=null", "data.paths=[closed]")
    assert done.returncode == 3
    assert "cannot read" in done.stderr


def test_a_shard_is_read_alone(here: Codex, keys: list[str], tmp_path: Path) -> None:
    ran = here("data", "ingest", *keys, "--out", "out", "--shard", "1/1", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["shard"] == "1/1" and told["counts"]["files"] == 32
    assert not (tmp_path / "out" / "records").exists()
    for wrong in ("2", "x/y", "1/2/3", "2/1"):
        assert here("data", "ingest", *keys, "--out", "out", "--shard", wrong).returncode == 2, wrong
