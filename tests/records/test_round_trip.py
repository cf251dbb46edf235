"""What is written is read back, equal records are equal bytes, and any JSON reader reads the same."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError, DiskFullError, MissingDataError
from codex.file import PartialFolder
from codex.records import (
    BadLine,
    Record,
    Source,
    count_records,
    encode_records,
    read_records,
    record_id,
    write_records,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))
COUNTS = st.integers(0, 2**53 - 1)
SOURCES = st.builds(
    Source,
    path=TEXTS,
    member=st.none() | TEXTS,
    offset=COUNTS,
    encoding=st.sampled_from(["utf-8", "koi8-r"]),
    errors=COUNTS,
)
NUMBERS = st.integers(1 - 2**53, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
METAS = st.none() | st.dictionaries(TEXTS, VALUES, max_size=3)
RECORDS = st.builds(Record.of, TEXTS, SOURCES, METAS)


def some(count: int) -> list[Record]:
    return [
        Record.of(f"text {number} é\n" * (number % 50), Source(f"{number}.txt", offset=number), {"n": number})
        for number in range(count)
    ]


@given(records=st.lists(RECORDS, max_size=5))
def test_what_is_written_is_read(records: list[Record], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("records") / "records.ndjson"
    assert write_records(path, iter(records)) == len(records)
    assert list(read_records(path)) == records
    assert count_records(path) == len(records)
    assert path.read_bytes() == encode_records(records) == encode_records(list(read_records(path)))


@given(record=RECORDS)
def test_a_line_is_what_json_says_it_is(record: Record) -> None:
    """Python's own encoder writes the same bytes, but for numbers in `meta`, which RFC 8785 writes its own way."""
    line = encode_records([record])
    value: dict[str, Any] = {
        "id": hashlib.sha256(record.text.encode()).hexdigest()[:32],
        "text": record.text,
        "source": {name: getattr(record.source, name) for name in Source.__slots__},
    }
    if record.meta is None:
        assert line.decode() == json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    else:
        assert json.loads(line, parse_int=float) == {**value, "meta": record.meta}
    assert line.count(b"\n") == 1


@given(meta=st.dictionaries(TEXTS, VALUES))
def test_meta_has_one_spelling(meta: dict[str, Any]) -> None:
    turned = dict(reversed(meta.items()))
    record, other = (Record.of("", Source(""), item) for item in (meta, MappingProxyType(turned)))
    assert encode_records([record]) == encode_records([other])


@given(text=TEXTS)
def test_an_id_is_the_head_of_sha256(text: str) -> None:
    assert record_id(text) == hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read_by_their_magic_number(
    tmp_path: Path, packed: Callable[[bytes], bytes]
) -> None:
    records, path = some(3000), tmp_path / "records.ndjson"
    half = encode_records(records[:1500])
    path.write_bytes(packed(half) + packed(encode_records(records[1500:])))
    assert list(read_records(path)) == records
    assert count_records(path) == 3000


def test_a_compressed_file_cut_short_gives_what_was_whole_and_then_an_error(tmp_path: Path) -> None:
    records, path = some(3000), tmp_path / "records.ndjson.gz"
    path.write_bytes(gzip.compress(encode_records(records))[:-2000])
    found: list[Record] = []
    with pytest.raises(
        DataError, match=r"records\.ndjson\.gz`: the gzip stream is cut short after \d+ plain bytes"
    ):
        found.extend(read_records(path))
    found = []
    with pytest.raises(DataError):
        for record in read_records(path):
            found.append(record)
    assert 1000 < len(found) < 3000 and found == records[: len(found)]


def test_an_open_file_of_a_folder_takes_records(tmp_path: Path) -> None:
    records = some(5000)
    with PartialFolder(tmp_path / "records") as folder:
        file = folder.open("records.ndjson")
        assert write_records(file, records) == 5000
        file.finish()
    assert list(read_records(tmp_path / "records" / "records.ndjson")) == records


def test_more_records_than_a_batch_are_written_once_each(tmp_path: Path) -> None:
    large = [Record.of(f"{number}" * 1_500_000, Source("large")) for number in range(5)]
    records = [*some(1500), *large, *some(10)]
    assert write_records(tmp_path / "records.ndjson", records) == len(records)
    assert list(read_records(tmp_path / "records.ndjson")) == records


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    write_records(path, some(3))
    good = path.read_bytes()
    bad = Record("0" * 32, "not its id", Source("x.txt"))
    with pytest.raises(DataError, match=r"^the record of `x\.txt` has the id 0{32}, but its text has "):
        write_records(path, [*some(2000), bad])
    assert path.read_bytes() == good and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "records.ndjson"
    write_records(path, some(3))
    good = path.read_bytes()
    script = (
        "import sys; from codex.errors import DiskFullError; from codex.records import *\n"
        "try: write_records(sys.argv[1], [Record.of('x', Source('x'))])\n"
        "except DiskFullError as error: sys.exit(str(error))"
    )
    for point in ("*@1", "*@2", "*@3"):
        environment = {
            **os.environ,
            "CODEX_FAIL_POINTS": f"{point.split('@')[0]}=enospc@{point.split('@')[1]}",
        }
        done = subprocess.run(
            [sys.executable, "-c", script, path], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1 and "no space left" in done.stderr, done
        assert path.read_bytes() == good and list(tmp_path.iterdir()) == [path]
    assert issubclass(DiskFullError, OSError)


def test_the_interpreter_is_free_while_a_file_is_read(tmp_path: Path) -> None:
    """The reader waits on a pipe; whoever fills it needs the interpreter, so a reader that kept it would wait for ever."""
    pipe, found = tmp_path / "pipe", list[int]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(count_records(pipe)), daemon=True)
    reader.start()
    pipe.write_bytes(encode_records(some(100)))
    reader.join()
    assert found == [100]


def test_a_missing_file_is_said_before_the_first_record() -> None:
    for read in (read_records, count_records):
        with pytest.raises(MissingDataError, match=r"^cannot read `nowhere\.ndjson`"):
            read("nowhere.ndjson")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Record.of("a\r\n", Source("a")), "the record of `a` has a carriage return at byte 1"),
        (Record("abc", "", Source("a")), "`abc` is no id, expected 32 lower-case hex digits"),
        (Record.of("", Source("a", offset=2**53)), "has an offset or a count beyond 2^53 - 1"),
        (Record.of("", Source("a", offset=-1)), "an offset or a count of a source is negative"),
        (Record.of("", Source("a", errors=2**64)), "an offset or a count of a source is negative or beyond"),
        (Record.of("", Source("a\udc80")), "a lone surrogate U+DC80 at character 1"),
        (
            Record.of("", Source("a"), {"a": math.nan}),
            "the record of `a` has `meta` that is no JSON: Out of range",
        ),
        (Record.of("", Source("a"), {"a": b""}), "`meta` that is no JSON: a bytes has no form in JSON"),
        (Record.of("", Source("a"), {"a": 2**53 + 1}), "the integer 9007199254740993 is beyond 2^53 - 1"),
        (Record.of("", Source("a"), {"a": "\ud800"}), "lone surrogate `\\ud800`"),
        (Record.of("", Source("a"), {1: 2, "1": 3}), "the key `1` stands twice"),  # type: ignore[dict-item]
    ],
)
def test_what_could_not_be_read_back_is_not_written(record: Record, reason: str, tmp_path: Path) -> None:
    for write in (lambda: encode_records([record]), lambda: write_records(tmp_path / "a", [record])):
        with pytest.raises(DataError) as caught:
            write()
        assert reason in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_text_with_a_lone_surrogate_has_no_id() -> None:
    with pytest.raises(DataError, match=r"^a lone surrogate U\+D800 at character 2"):
        record_id("ab\ud800")


def test_bad_lines_are_told_in_the_words_of_the_error(tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    path.write_bytes(encode_records(some(1)) + b"{}\n")
    bad: list[BadLine] = []
    assert len(list(read_records(path, bad_lines=bad))) == 1
    [line] = bad
    with pytest.raises(DataError) as caught:
        list(read_records(path))
    assert str(caught.value) == f"`{line.path}`, line {line.line}, byte {line.byte}: {line.reason}"
