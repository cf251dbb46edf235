"""Raw files to records: every file is a record or is listed with its reason; equal input, equal bytes."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import codex.data.formats
import codex.data.ingest
from codex.config.schema import Config
from codex.data.listing import list_files
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.errors import ChangedError, DataError
from codex.file import read_manifest
from codex.records import Record, iter_records, read_records, record_id

Configure = Callable[..., Config]
Tree = Callable[[Path], dict[str, str]]


def ingested(config: Config, cache: Path) -> tuple[list[Record], dict[str, Any]]:
    folder = prepare_until("records", config, place=Place(cache))["records"].folder
    return list(read_records(folder / "records.ndjson")), dict(read_manifest(folder))


def test_every_file_is_a_record_or_is_listed(config: Config, corpus: Path, tmp_path: Path) -> None:
    records, manifest = ingested(config, tmp_path / "cache")
    reached = [record.source.path for record in records] + [entry["path"] for entry in manifest["skipped"]]
    on_disk = [p.relative_to(corpus).as_posix() for p in corpus.rglob("*") if p.is_symlink() or p.is_file()]
    assert sorted(reached) == sorted(on_disk)
    assert manifest["counts"]["records"] == len(records) == 25
    assert manifest["counts"]["skipped"] == len(manifest["skipped"]) == 9
    assert manifest["counts"]["text_bytes"] == sum(len(record.text.encode()) for record in records)


def test_reasons_say_what_and_where(config: Config, tmp_path: Path) -> None:
    _, manifest = ingested(config, tmp_path / "cache")
    reasons = {entry["path"]: (entry["reason"], entry["bytes"]) for entry in manifest["skipped"]}
    assert reasons["empty.txt"] == ("empty", 0)
    assert reasons["z twin.txt"][0] == "duplicate of a b/document 03.txt"
    assert reasons["document 05.txt"][0] == "duplicate of a twin.txt"
    assert reasons["large.txt"] == ("too large: more than 20000 bytes", 20_001)
    assert "NUL byte at 4" in reasons["binary.bin"][0]
    assert "byte 0xef at 2" in reasons["latin.txt"][0]
    assert reasons["bomb.gz"][0] == "holds more than the limit of 20000 bytes"
    assert reasons["cut.gz"][0].startswith("the gzip stream is cut short after")
    assert reasons["link"][0] == "a symbolic link: not followed"


def test_manifest_lists_every_raw_file_with_its_digest(config: Config, corpus: Path, tmp_path: Path) -> None:
    folder = prepare_until("records", config, place=Place(tmp_path / "cache"))["records"].folder
    lines = (folder / "files.ndjson").read_bytes()
    digest = f"sha256:{hashlib.sha256(lines).hexdigest()}"
    assert read_manifest(folder)["parents"] == [{"kind": "files", "digest": digest}]
    parents = {entry["path"]: entry for entry in map(json.loads, lines.splitlines())}
    assert list(parents) == sorted(parents)
    assert set(parents) == {p.relative_to(corpus).as_posix() for p in corpus.rglob("*") if p.is_file()} - {
        "large.txt",
        "link",
    }
    assert parents["empty.txt"] == {
        "path": "empty.txt",
        "bytes": 0,
        "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    }


def test_records_are_in_the_order_of_their_ids_which_are_those_of_their_texts(
    config: Config, tmp_path: Path
) -> None:
    records, _ = ingested(config, tmp_path / "cache")
    ids = [record.id for record in records]
    assert ids == sorted(set(ids)) == [record_id(record.text) for record in records]


def test_duplicate_keeps_the_smallest_path(config: Config, tmp_path: Path) -> None:
    records, _ = ingested(config, tmp_path / "cache")
    paths = {record.source.path for record in records}
    assert {"a b/document 03.txt", "a twin.txt"} <= paths
    assert not {"z twin.txt", "document 05.txt"} & paths


def test_compressed_file_is_read(config: Config, tmp_path: Path) -> None:
    records, _ = ingested(config, tmp_path / "cache")
    packed = next(record for record in records if record.source.path == "a b/packed.txt.gz")
    assert packed.text.startswith("the 3100\n")


def test_nothing_of_this_machine_is_in_what_a_digest_covers(
    config: Config, corpus: Path, tmp_path: Path
) -> None:
    folder = prepare_until("records", config, place=Place(tmp_path / "cache"))["records"].folder
    for name in ("records.ndjson", "manifest.json"):
        assert str(tmp_path) not in (folder / name).read_text()


def test_equal_corpora_in_other_places_give_equal_bytes(
    config: Config, corpus: Path, configure: Configure, tree: Tree, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere" / corpus.name
    files = [path for path in corpus.rglob("*") if not path.is_dir()]
    random.Random(0).shuffle(files)  # other inodes, another order on the disk, other times
    for path in files:
        copy = elsewhere / path.relative_to(corpus)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            copy.symlink_to(path.readlink())
        else:
            copy.write_bytes(path.read_bytes())
    first, second = tmp_path / "first", tmp_path / "second"
    ingested(config, first)
    ingested(configure(elsewhere), second)
    assert tree(first) == tree(second)


def test_another_process_gives_equal_bytes(corpus: Path, config: Config, tree: Tree, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    ingested(config, first)
    code = """
import sys
from pathlib import Path
from codex.config.schema import Config
from codex.data.prepare import prepare_until
from codex.data.store import Place
prepare_until("records", Config.model_validate_json(sys.argv[1]), place=Place(Path(sys.argv[2])))
"""
    words = [sys.executable, "-c", code, config.model_dump_json(), str(second)]
    subprocess.run(words, check=True, env={**os.environ, "PYTHONHASHSEED": "77"})
    assert tree(first) == tree(second)


def test_file_that_changes_while_its_rows_are_read_is_an_error(
    corpus: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = corpus / "rows.jsonl"
    rows.write_text('{"text": "one"}\n')

    def iterate_and_change(path: Path, **options: Any) -> Any:
        rows.write_text('{"text": "another"}\n')
        return iter_records(path, **options)

    monkeypatch.setattr(codex.data.formats, "iter_records", iterate_and_change)
    with pytest.raises(ChangedError, match=r"rows.jsonl` changed while the corpus was being read"):
        ingested(configure(corpus), tmp_path / "cache")
    assert list((tmp_path / "cache" / "prepared" / "records").glob("*[!k]")) == []


def test_file_that_grows_before_it_is_read_is_an_error(
    corpus: Path, config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def list_and_grow(*arguments: Any, **options: Any) -> Any:
        listing = list_files(*arguments, **options)
        (corpus / "document 02.txt").write_text("more")
        return listing

    monkeypatch.setattr("codex.data.source.list_files", list_and_grow)
    with pytest.raises(ChangedError, match=r"document 02.txt` changed"):
        ingested(config, tmp_path / "cache")


def test_text_that_changes_under_an_unchanged_stamp_is_an_error(
    config: Config, corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = codex.data.ingest.read_digests

    def read_and_change(*arguments: Any) -> Any:
        raw = read(*arguments)
        path = corpus / "document 02.txt"
        status = path.stat()
        path.write_text(path.read_text().replace("bytes", "BYTES"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return raw

    monkeypatch.setattr("codex.data.prepare.read_digests", read_and_change)
    with pytest.raises(ChangedError, match=r"document 02.txt` changed while the corpus was being read"):
        ingested(config, tmp_path / "cache")


def test_file_that_vanishes_is_an_error(
    config: Config, corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read = codex.data.ingest.read_digests

    def read_and_remove(*arguments: Any) -> Any:
        raw = read(*arguments)
        (corpus / "document 02.txt").unlink()
        return raw

    monkeypatch.setattr("codex.data.prepare.read_digests", read_and_remove)
    with pytest.raises(DataError, match=r"document 02.txt` changed"):
        ingested(config, tmp_path / "cache")


def test_file_that_cannot_be_opened_is_listed(
    config: Config, corpus: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def list_and_replace(*arguments: Any, **options: Any) -> Any:
        listing = list_files(*arguments, **options)
        (corpus / "document 02.txt").unlink()
        (corpus / "document 02.txt").mkdir()
        return listing

    monkeypatch.setattr("codex.data.source.list_files", list_and_replace)
    records, manifest = ingested(config, tmp_path / "cache")
    listed = {entry["path"]: entry["reason"] for entry in manifest["skipped"]}
    assert listed["document 02.txt"] == "cannot read: is a directory"
    assert len(records) == 24


def test_empty_corpus_is_an_error(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=r"the corpus is empty: no file belongs to it"):
        ingested(configure(tmp_path / "nothing"), tmp_path / "cache")
    assert not (tmp_path / "cache" / "prepared" / "records" / "manifest.json").exists()


def test_corpus_without_text_names_a_file_and_the_reason(tmp_path: Path, configure: Configure) -> None:
    folder = tmp_path / "binary"
    folder.mkdir()
    (folder / "a").write_bytes(b"\0")
    (folder / "b").write_bytes(b"")
    with pytest.raises(DataError, match=r"all of it was left out, the first being `a` .*NUL"):
        ingested(configure(folder), tmp_path / "cache")


def test_records_carry_where_they_came_from(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "one.py").write_bytes("# -*- coding: latin-1 -*-\nname = 'café'\n".encode("latin-1"))
    records, _ = ingested(configure(tmp_path / "one.py"), tmp_path / "cache")
    line = json.loads(next((tmp_path / "cache").rglob("records.ndjson")).read_text())
    assert line["source"]["path"] == "one.py"
    assert "café" in records[0].text
    assert records[0].source.encoding != "utf-8"
