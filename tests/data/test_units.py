"""Units of raw files: made once, used again, and the same bytes however they came to be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import codex.data.ingest
import codex.data.units
from codex.config.schema import Config
from codex.data.formats import plain_reading
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.data.units import evict_units
from codex.errors import LockError
from codex.file import Lock

Configure = Callable[..., Config]
Tree = Callable[[Path], dict[str, str]]


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """300 files in units of 20."""
    monkeypatch.setattr(codex.data.units, "_UNIT_FILES", 20)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.txt").write_text(f"text {number % 290}\n" * 5)
    return folder


def records_of(config: Config, cache: Path) -> bytes:
    stage = prepare_until("records", config, place=Place(cache))["records"]
    return (stage.folder / "records.ndjson").read_bytes()


def notes(cache: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (cache / "units").glob("*.json")}


def test_a_changed_file_is_read_again_with_its_unit_alone(
    many: Path, configure: Configure, tmp_path: Path
) -> None:
    config = configure(many)
    records_of(config, tmp_path / "c")
    before = notes(tmp_path / "c")
    (many / "150.txt").write_text("another text\n")
    changed = records_of(config, tmp_path / "c")
    after = notes(tmp_path / "c")
    assert len(before) >= 15
    assert before.items() <= after.items() and len(after) == len(before) + 1
    assert changed == records_of(config, tmp_path / "fresh")


def test_text_read_in_python_gives_the_same_bytes(
    corpus: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tree: Tree
) -> None:
    (corpus / "page.html").write_text("<p>a page</p>")
    (corpus / "rows.jsonl").write_text('{"text": "one"}\n{"text": 2}\n{"text": "three"}\n')
    (corpus / "russian.txt").write_bytes("Съешь же ещё этих мягких французских булок\n".encode("koi8-r"))
    (corpus / "japanese.txt").write_bytes("日本語の文字です\n".encode("iso2022_jp"))
    (corpus / "cookie.py").write_bytes(b"# coding: latin-1\nname = 'caf\xe9'\n")
    (corpus / "no cookie.py").write_bytes(b"# coding: klingon\n")
    prepare_until("records", configure(corpus), place=Place(tmp_path / "fast"))
    monkeypatch.setattr(
        codex.data.units, "plain_reading", lambda reading: {**plain_reading(reading), "reads_texts": False}
    )
    prepare_until("records", configure(corpus), place=Place(tmp_path / "slow"))
    assert tree(tmp_path / "fast") == tree(tmp_path / "slow")
    records = (tmp_path / "fast").rglob("records.ndjson")
    (written,) = [path.read_text() for path in records]
    assert all(text in written for text in ["koi8-r", "日本語", "café", "a page", "three"])


def test_units_cut_otherwise_give_the_same_bytes(
    many: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = records_of(configure(many), tmp_path / "some")
    monkeypatch.setattr(codex.data.units, "_UNIT_FILES", 7)
    monkeypatch.setattr(codex.data.units, "_RUN_BYTES", 300)
    monkeypatch.setattr(codex.data.ingest, "_MERGED", 3)
    monkeypatch.setattr(codex.data.ingest, "_WORKERS", 1)
    assert records_of(configure(many), tmp_path / "others") == expected


@pytest.mark.parametrize("how", ["cut", "gone", "changed", "note"])
def test_a_damaged_unit_is_made_again(many: Path, configure: Configure, tmp_path: Path, how: str) -> None:
    config = configure(many)
    expected = records_of(config, tmp_path / "c")
    damaged = sorted((tmp_path / "c" / "units").glob("*.json" if how == "note" else "*.ndjson"))[3]
    if how == "gone":
        damaged.unlink()
    else:
        data = damaged.read_bytes()
        damaged.write_bytes(data[:-9] if how == "cut" else data.replace(b"e", b"f", 1))
    (many / "150.txt").touch()
    for path in (tmp_path / "c" / "prepared").rglob("records.ndjson"):
        path.unlink()
    assert records_of(config, tmp_path / "c") == expected


def test_what_was_made_before_a_kill_is_not_made_again(
    many: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = records_of(configure(many), tmp_path / "whole")
    write = codex.data.ingest._write_without_twins

    def stop(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(codex.data.ingest, "_write_without_twins", stop)
    with pytest.raises(KeyboardInterrupt):
        records_of(configure(many), tmp_path / "c")
    monkeypatch.setattr(codex.data.ingest, "_write_without_twins", write)
    before = notes(tmp_path / "c")
    assert records_of(configure(many), tmp_path / "c") == expected
    assert notes(tmp_path / "c") == before


def test_units_are_evicted_by_size_and_age(many: Path, configure: Configure, tmp_path: Path) -> None:
    records_of(configure(many), tmp_path / "c")
    folder = tmp_path / "c" / "units"
    count = len(notes(tmp_path / "c"))
    assert evict_units(folder, maximum_bytes=1 << 30, maximum_days=1) == 0
    oldest = sorted(folder.glob("*.json"))[:3]
    for path in oldest:
        os.utime(path, (0, 0))
    assert evict_units(folder, maximum_bytes=1 << 30, maximum_days=1) == 3
    assert not any(path.exists() for path in oldest)
    assert evict_units(folder, maximum_bytes=0, maximum_days=1) == count - 3
    assert list(folder.iterdir()) == []


def test_a_second_ingest_into_one_folder_is_refused_by_name(
    many: Path, configure: Configure, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with Lock(tmp_path / "out" / ".records.lock"), pytest.raises(LockError, match=str(os.getpid())):
        prepare_until("records", configure(many), place=Place(tmp_path / "c", tmp_path / "out"))
