"""`get_dataset`, `stream_texts` and `split_dataset`: what a script gets, and what it is told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from codex.data import get_dataset, split_dataset, stream_texts
from codex.data.line_split import LineSplit
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.errors import ConfigError, DataError, MissingDataError, RegistryError, UsageError
from codex.records import read_records

LINES = [f"line {number}" for number in range(500)]


def test_the_stream_holds_what_ingest_makes_records_of(corpus: Path, config: object, tmp_path: Path) -> None:
    dataset = get_dataset(None, [corpus], maximum_file_bytes=20_000)
    documents = list(dataset)
    assert [each.text for each in dataset] == [each.text for each in documents], (
        "a second loop reads them again"
    )
    records = prepare_until("records", config, place=Place(tmp_path / "c"))["records"]  # type: ignore[arg-type]
    kept = {each.id: each for each in read_records(records.folder / "records.ndjson")}
    assert kept.keys() == {each.id for each in documents}
    assert all(each in documents for each in kept.values())
    assert [each.source.path for each in documents] == sorted(each.source.path for each in documents)
    dropped = dict(records.manifest["dropped"])
    assert dropped.pop("duplicate") == len(documents) - len(kept)
    assert dict(dataset.dropped) == dropped


def test_the_default_is_the_library_of_this_python() -> None:
    dataset = get_dataset(include=["json/*.py"])
    assert dataset.name == "python-stdlib" and dataset.files == sorted(dataset.files)
    assert "json/decoder.py" in [each.source.path for each in dataset]


def test_a_fallback_is_announced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.md").write_text("instead")
    with pytest.raises(MissingDataError, match="gone` does not exist"):
        get_dataset("jsonl", [tmp_path / "gone"])
    dataset = get_dataset("jsonl", [tmp_path / "gone"], fallback_path=tmp_path / "other")
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert (
        said.err.startswith("corpus jsonl is not there (")
        and f"reading `{tmp_path / 'other'}` instead" in said.err
    )
    assert [each.text for each in dataset] == ["instead"]
    assert dataset.name is None and "does not exist" in str(dataset.fallback)
    heard: list[str] = []
    get_dataset("jsonl", [tmp_path / "gone"], fallback_path=tmp_path / "other", say=heard.append)
    assert len(heard) == 1 and capsys.readouterr().err == ""
    with pytest.raises(MissingDataError, match="nowhere` does not exist"):
        get_dataset("jsonl", [tmp_path / "gone"], fallback_path=tmp_path / "nowhere")


def test_a_corpus_that_is_there_needs_no_fallback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "there"}\n')
    dataset = get_dataset("jsonl", [tmp_path], fallback_path=tmp_path / "other")
    assert [each.text for each in dataset] == ["there"]
    assert dataset.fallback is None and capsys.readouterr() == ("", "")


def test_names_and_options_that_are_none_are_said(tmp_path: Path) -> None:
    with pytest.raises(RegistryError) as unknown:
        get_dataset("python-stdlb", fallback_path=tmp_path)
    assert unknown.value.hint == "did you mean `python-stdlib`?"
    with pytest.raises(ConfigError, match="`text_ky` is no key") as key:
        get_dataset("jsonl", [tmp_path], text_ky="body")
    assert key.value.hint == "did you mean `text_key`?"
    with pytest.raises(ConfigError, match="`text_key` is 3: input should be a valid string"):
        get_dataset("jsonl", [tmp_path], text_key=3)
    with pytest.raises(ConfigError, match="is in places of your own"):
        get_dataset("jsonl")


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_pieces_are_of_one_size_and_make_up_the_text(tmp_path: Path, size: int) -> None:
    text = "Größe und Maß\n" * 40_000
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.replace("\n", "\r\n").encode("utf-16")))
    pieces = list(stream_texts(tmp_path / "a.gz", size))
    assert "".join(pieces) == text
    assert {len(piece) for piece in pieces[:-1]} <= {size} and 0 < len(pieces[-1]) <= size


def test_what_is_no_text_has_no_pieces(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"\0\1\2")
    with pytest.raises(DataError, match="not text"):
        list(stream_texts(tmp_path / "blob"))
    with pytest.raises(MissingDataError):
        stream_texts(tmp_path / "gone")
    with pytest.raises(UsageError, match="`chunk_size` is 0"):
        stream_texts(tmp_path / "blob", 0)


def test_the_side_of_a_line_is_its_own() -> None:
    split = split_dataset(LINES, 7, validation_fraction=0.2, test_fraction=0.1)
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(LINES)
    assert 70 <= len(split.validation) <= 130 and 30 <= len(split.test) <= 70
    again = split_dataset([*reversed(LINES), *LINES, "new"], 7, validation_fraction=0.2, test_fraction=0.1)
    for side, more in zip(split, again, strict=True):
        assert set(side) == set(more) - {"new"}
    other = split_dataset(LINES, 8, validation_fraction=0.2, test_fraction=0.1)
    assert set(other.validation) != set(split.validation)


def test_a_split_is_kept_and_made_again_when_it_is_another(tmp_path: Path) -> None:
    lines = [*LINES, "", "two\nlines", "with\r\nreturn", "\0", "🙂", '{"text": 1}']
    home, said = tmp_path / "more" / "split", list[str]()

    def made(lines: list[str], seed: int, **fractions: float) -> LineSplit:
        return split_dataset(lines, seed, home, say=said.append, **fractions)

    first = made(lines, 1)
    assert first == split_dataset(lines, 1)
    inode = (home / "train.ndjson").stat().st_ino
    assert made(lines, 1) == first and (home / "train.ndjson").stat().st_ino == inode and said == []
    for changed, words in [
        (lambda: made(lines, 2), "with another seed"),
        (lambda: made(lines, 2, test_fraction=0.3), "with another test_fraction"),
        (lambda: made(lines[1:], 2, test_fraction=0.3), "with another lines, digest"),
        (lambda: made([*lines[1:-1], "x"], 2, test_fraction=0.3), "with another digest"),
    ]:
        changed()
        assert words in said[-1]
    assert len(said) == 4


@pytest.mark.parametrize("name", ["train.ndjson", "manifest.json", "validation.ndjson"])
def test_a_kept_split_that_is_damaged_is_made_again(tmp_path: Path, name: str) -> None:
    expected = split_dataset(LINES, 1, tmp_path / "s")
    path = tmp_path / "s" / name
    path.write_bytes(path.read_bytes().replace(b"1", b"2", 1))
    said: list[str] = []
    assert split_dataset(LINES, 1, tmp_path / "s", say=said.append) == expected
    assert len(said) == 1 and "is made again" in said[0]
    assert json.loads((tmp_path / "s" / "manifest.json").read_bytes())["counts"]["test"] == 0
    assert split_dataset(LINES, 1, tmp_path / "s", say=said.append) == expected and len(said) == 1


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "manifest.json").write_text('{"name": "somebody else\'s"}')
    (tmp_path / "package" / "index.js").write_text("")
    for place in (tmp_path, tmp_path / "mine", tmp_path / "package"):
        with pytest.raises(UsageError, match="is in the way"):
            split_dataset(LINES, 1, place)
    assert (tmp_path / "mine").read_text() == "mine"
    with pytest.raises(UsageError, match="leave nothing to train on"):
        split_dataset(LINES, 1, validation_fraction=0.5, test_fraction=0.5)
