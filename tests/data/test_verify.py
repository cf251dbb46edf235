"""`verify` finds what digests alone would not: every way in which whole files can disagree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.config.schema import Config
from codex.data.prepare import prepare, prepare_until
from codex.data.store import STAGES, Place
from codex.data.verify import Report, verify
from codex.errors import DataError, MissingDataError
from codex.file import digest_file, read_manifest, write_manifest

Configure = Callable[..., Config]


@pytest.fixture
def out(config: Config, tmp_path: Path) -> Path:
    prepare_until("shards", config, place=Place(tmp_path / "cache", tmp_path / "out"))
    return tmp_path / "out"


def seal(folder: Path, **changes: Any) -> None:
    """Makes the manifest of a changed folder agree with its files, as a careful forger would."""
    manifest = {key: value for key, value in read_manifest(folder).items() if key != "digest"} | changes
    for entry in manifest["files"]:
        digest = digest_file(folder / entry["path"])
        entry |= {"bytes": digest.bytes, "digest": digest.digest}
    write_manifest(folder, manifest)


def problems(report: Report) -> list[tuple[str, str]]:
    return [(Path(problem.path).name, problem.part) for problem in report.problems]


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def test_whole_folder_has_no_problem(out: Path) -> None:
    report = verify(out)
    assert (report.problems, report.unchecked) == ([], [])
    assert report.checked == [str(out / stage) for stage in STAGES]


def test_whole_cache_has_no_problem(
    config: Config, corpus: Path, configure: Configure, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    prepare(configure(corpus, vocabulary_size=301), cache=tmp_path / "c")
    report = verify(tmp_path / "c")
    assert (report.problems, report.unchecked, len(report.checked)) == ([], [], 6)


def test_one_stage_alone_names_the_parent_it_was_not_compared_with(out: Path) -> None:
    report = verify(out / "splits")
    assert report.problems == []
    assert len(report.unchecked) == 1 and "its parent `records`" in report.unchecked[0]


@pytest.mark.parametrize("stage", STAGES)
def test_flipped_bit_in_any_file_is_found_and_named(out: Path, stage: str) -> None:
    for path in sorted((out / stage).iterdir()):
        if path.name == "build.json":
            continue
        whole = path.read_bytes()
        data = bytearray(whole)
        data[len(data) // 3] ^= 16
        path.write_bytes(data)
        found = [problem for problem in verify(out).problems if problem.part == "manifest"]
        assert len(found) == 1 and path.name in found[0].reason and found[0].path == str(out / stage)
        path.write_bytes(whole)
    assert verify(out).problems == []


def test_text_that_does_not_have_its_id_is_found(out: Path) -> None:
    path = out / "records" / "records.ndjson"
    path.write_text(path.read_text().replace("batches ", "butches ", 1))
    seal(out / "records")
    assert any(
        name == "records.ndjson" and part.startswith("line ")
        for name, part in problems(verify(out / "records"))
    )


def test_records_out_of_order_are_found(out: Path) -> None:
    path = out / "records" / "records.ndjson"
    path.write_text("".join(reversed(lines_of(path))))
    seal(out / "records")
    report = verify(out / "records")
    assert len(report.problems) == 24 and "out of order" in report.problems[0].reason


def test_record_that_is_there_twice_is_found(out: Path) -> None:
    path = out / "records" / "records.ndjson"
    lines = lines_of(path)
    path.write_text("".join([lines[0], *lines]))
    seal(out / "records")
    assert problems(verify(out / "records"))[:2] == [
        ("records.ndjson", "record 1"),
        ("records", "counts.records"),
    ]


def test_missing_record_is_found_by_its_count(out: Path) -> None:
    path = out / "records" / "records.ndjson"
    path.write_text("".join(lines_of(path)[1:]))
    seal(out / "records")
    assert ("records", "counts.records") in problems(verify(out / "records"))


def test_record_on_the_wrong_side_is_found(out: Path) -> None:
    train, held_out = out / "splits" / "train.ndjson", out / "splits" / "validation.ndjson"
    moved = lines_of(held_out)
    train_lines = lines_of(train)
    counts = dict(read_manifest(out / "splits")["counts"])
    held_out.write_text("".join(moved[1:]))
    train.write_text("".join(sorted([*train_lines, moved[0]])))
    seal(out / "splits", counts=counts)
    found = problems(verify(out / "splits"))
    assert any(name == "train.ndjson" for name, _ in found)
    assert ("splits", "counts.train_records") in found


def test_splits_that_are_not_of_their_records_are_found(
    out: Path, corpus: Path, config: Config, tmp_path: Path
) -> None:
    path = out / "splits" / "train.ndjson"
    lines = lines_of(path)
    path.write_text("".join(lines[1:]))
    counts = dict(read_manifest(out / "splits")["counts"])
    counts["train_records"] -= 1
    seal(out / "splits", counts=counts)
    assert ("train.ndjson", "records") in problems(verify(out))


def test_shards_of_another_tokenizer_are_found(
    out: Path, corpus: Path, configure: Configure, tmp_path: Path
) -> None:
    other = prepare_until(
        "tokenizer", configure(corpus, vocabulary_size=301), place=Place(tmp_path / "other")
    )
    shutil.copy(other["tokenizer"].folder / "tokenizer.json", out / "tokenizer" / "tokenizer.json")
    seal(out / "tokenizer", counts={"vocabulary_size": 301})
    digest = read_manifest(out / "tokenizer")["digest"]
    parents = [
        {**parent, "digest": digest} if parent["kind"] == "tokenizer" else parent
        for parent in read_manifest(out / "shards")["parents"]
    ]
    seal(out / "shards", parents=parents)
    assert ("shards", "train metadata") in problems(verify(out))


def test_token_that_is_another_is_found_by_decoding(out: Path) -> None:
    path = next((out / "shards").glob("train-*.safetensors"))
    flipped = bytearray(path.read_bytes())
    flipped[_tokens_at(path)] ^= 1
    path.write_bytes(flipped)
    seal(out / "shards")
    assert ("shards", "train document 0") in problems(verify(out))


def _tokens_at(path: Path) -> int:
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return 8 + length + int(json.loads(data[8 : 8 + length])["tokens"]["data_offsets"][0])


def test_counts_that_lie_are_found(out: Path) -> None:
    counts = {**read_manifest(out / "shards")["counts"], "train_tokens": 1}
    seal(out / "shards", counts=counts)
    assert ("shards", "counts.train_tokens") in problems(verify(out))


def test_stage_without_a_manifest_is_found(out: Path) -> None:
    (out / "tokenizer" / "manifest.json").unlink()
    report = verify(out)
    assert ("tokenizer", "manifest") in problems(report)
    assert any("its parent `tokenizer`" in line for line in report.unchecked)


def test_stage_under_another_name_is_found(out: Path) -> None:
    shutil.rmtree(out / "splits")
    shutil.copytree(out / "records", out / "splits")
    assert ("splits", "manifest") in problems(verify(out))


def test_unfinished_folder_is_named(out: Path) -> None:
    (out / "shards.partial-1-0").mkdir()
    assert verify(out).unchecked == [f"{out / 'shards.partial-1-0'}: not finished"]


def test_folder_without_prepared_data_says_so(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="no prepared data in"):
        verify(tmp_path)


def test_file_for_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file, expected a folder of prepared data"):
        verify(tmp_path / "file")
