"""`codex data inspect`: the documents it draws are those that are there, each with the place it came from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.records import read_records

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Sixty lines of NDJSON, two texts in other encodings, three files that are no documents."""
    folder = tmp_path / "raw"
    folder.mkdir()
    rows = (json.dumps({"text": f"line {number} of many " * 5}) for number in range(60))
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "wide.txt").write_bytes("später am Tag\n".encode("utf-16"))
    (folder / "control.txt").write_text("\x1b[31mred\x1b[0m text\n" * 30)
    for number in range(3):
        (folder / f"blob{number}.bin").write_bytes(b"\0" * (number + 1))
    return folder


def inspected(here: Codex, *words: str) -> dict[str, Any]:
    done = here("data", "inspect", *words, "--json")
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_documents_are_drawn_by_the_seed_with_their_places_and_splits(
    here: Codex, raw: Path, tmp_path: Path
) -> None:
    here("data", "ingest", "raw", "--out", "out")
    here("data", "split", "out", "data.test_fraction=0.2", "data.validation_fraction=0.2")
    found = inspected(here, "out", "--count", "20")
    assert found == inspected(here, "out", "--count", "20")
    ids = [document["id"] for document in found["documents"]]
    assert ids == sorted(set(ids)) and len(ids) == 20
    assert ids != [each["id"] for each in inspected(here, "out", "--count", "20", "--seed", "1")["documents"]]
    sides = {
        record.id: side
        for side in ("train", "validation", "test")
        for record in read_records(tmp_path / "out" / "splits" / f"{side}.ndjson")
    }
    records = {record.id: record for record in read_records(tmp_path / "out" / "records" / "records.ndjson")}
    for document in found["documents"]:
        record = records[document["id"]]
        assert (document["text"], document["source"]["path"]) == (record.text, record.source.path)
        assert document.get("meta") == record.meta
        assert document["split"] == sides[document["id"]]
    assert {document["split"] for document in found["documents"]} == {"train", "validation", "test"}
    assert found["dropped"] == {"not text": 3}
    assert [entry["path"] for entry in found["skipped"]] == ["blob0.bin", "blob1.bin", "blob2.bin"]
    test = inspected(here, "out", "--split", "test", "--count", "100")
    assert sorted(each["id"] for each in test["documents"]) == sorted(i for i in sides if sides[i] == "test")


def test_the_newest_records_of_the_cache_are_shown(here: Codex, raw: Path) -> None:
    here("data", "split", "data.corpus=null", "data.paths=[raw]")
    everything = inspected(here, "-n", "100")
    assert len(everything["documents"]) == everything["counts"]["records"] == 62
    by_path = {each["source"]["path"]: each for each in everything["documents"]}
    assert by_path["wide.txt"]["source"]["encoding"] == "utf-16-le"
    assert {each["split"] for each in everything["documents"]} <= {"train", "validation"}


def test_what_is_shown_is_printable_and_short(here: Codex, raw: Path) -> None:
    here("data", "ingest", "raw", "--out", "out")
    done = here("data", "inspect", "out", "--count", "100")
    assert done.returncode == 0 and "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0] == "out/records: 62 records of 6 files"
    assert sum(line.endswith(" bytes") and "  not split  " in line for line in lines) == 62
    assert "  from  rows.jsonl, row 0, utf-8" in lines
    assert "  text  später am Tag" in [line.rstrip(" .") for line in lines]
    assert max(len(line) for line in lines) < 300
    assert "blob1.bin  not text: NUL byte at 0" in lines


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere"], 3, "no records in `nowhere`"),
        ([], 3, "no records in"),
        (["out", "--split", "test"], 3, "no split `test` of the records in `out/records`"),
        (["out", "--count", "-1"], 2, "count"),
        (["out", "--sede", "1"], 2, "--sede"),
    ],
)
def test_what_is_not_there_is_said(words: list[str], code: int, message: str, here: Codex, raw: Path) -> None:
    here("data", "ingest", "raw", "--out", "out")
    done = here("data", "inspect", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


def test_a_damaged_manifest_is_not_shown(here: Codex, raw: Path, tmp_path: Path) -> None:
    here("data", "ingest", "raw", "--out", "out")
    manifest = tmp_path / "out" / "records" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"blob0", b"blob9"))
    assert here("data", "inspect", "out").returncode == 4
