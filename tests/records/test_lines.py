"""Anyone's NDJSON: what the table of bad input in the research page asks of a reader, and nothing that changes in silence."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import math
import os
import struct
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex.errors import DataError, MissingDataError, UsageError
from codex.records import BadLine, count, index, iter_batches, iter_records, iter_texts

ONE, TWO, THREE = (b'{"text":"one","n":1}\n', b'{"text":"two","n":2}\n', b'{"text":"three","n":3}\n')


def written(path: Path, middle: bytes) -> Path:
    file = path / "lines.ndjson"
    file.write_bytes(ONE + middle + THREE)
    return file


# What stands in the middle, at which of its bytes it is wrong, and why: the rows of the table that are errors.
BAD = {
    "broken middle": (b'{"text":"two"\n', 13, "expected `,` or `}`, found the end of the line"),
    "cut string": (b'{"text":"tw\n', 11, "a string without its closing quote"),
    "NUL filled": (b"\0" * 512 + b"\n", 0, "expected an object, found `\\0`"),
    "NUL in a string": (b'{"text":"t\0"}\n', 10, "control character 0x00 in a string"),
    "invalid UTF-8": (b'{"text":"tw\xe9"}\n', 11, "not UTF-8: byte 0xe9"),
    "lone surrogate": (b'{"text":"\\ud800"}\n', 9, "lone surrogate `\\ud800`"),
    "lone low surrogate": (b'{"text":"a\\udc00b"}\n', 10, "lone surrogate `\\udc00`"),
    "duplicate key": (b'{"text":"a","text":"b"}\n', 12, "the key `text` stands twice"),
    "duplicate key, escaped": (b'{"text":"a","te\\u0078t":"b"}\n', 12, "the key `text` stands twice"),
    "duplicate key inside": (b'{"text":"a","m":{"k":[{"a":1,"a":2}]}}\n', 29, "the key `a` stands twice"),
    "NaN": (b'{"text":"a","n":NaN}\n', 16, "expected a value, found `N`"),
    "Infinity": (b'{"text":"a","n":-Infinity}\n', 16, "expected a number, found `-`"),
    "beyond a double": (b'{"text":"a","n":1e400}\n', 16, "the number 1e400 is out of range"),
    "two records on a line": (b'{"text":"a"} {"text":"b"}\n', 13, "expected the end of the line, found `{`"),
    "nesting": (b'{"text":"a","n":' + b"[" * 2000 + b"\n", 142, "nested deeper than 127 levels"),
    "no object": (b'["a"]\n', 0, "expected an object, found `[`"),
    "a mark in the middle": (b'\xef\xbb\xbf{"text":"a"}\n', 0, "expected an object, found `\\u{feff}`"),
    "a leading zero": (b'{"text":"a","n":01}\n', 17, "expected `,` or `}`, found `1`"),
    "a comma too many": (b'{"text":"a",}\n', 12, "expected a key, found `}`"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_bad_line_is_file_line_byte_and_reason_and_its_neighbours_are_read(
    name: str, threads: int, tmp_path: Path
) -> None:
    middle, byte, reason = BAD[name]
    path = written(tmp_path, middle)
    place = BadLine(str(path), 2, len(ONE) + byte, reason)

    rows = iter_records(path, on_error="skip", threads=threads)
    assert list(rows) == [json.loads(ONE), json.loads(THREE)]
    assert (rows.bad_count, rows.bad_lines) == (1, [place])

    found: list[dict[str, Any]] = []
    with pytest.raises(DataError) as caught:
        for row in iter_records(path, threads=threads):
            found.append(row)
    assert str(caught.value) == f"`{path}`, line 2, byte {place.byte}: {reason}"
    assert found == [json.loads(ONE)]

    # What is not asked for only has to be JSON: nobody has to be able to hold it.
    wanted = ["one", "a", "three"] if name == "beyond a double" else ["one", "three"]
    texts = iter_texts(path, on_error="skip", threads=threads)
    batches = iter_batches(path, {"text": str}, on_error="skip", threads=threads)
    assert list(texts) == [text for batch in batches for text in batch.column("text")] == wanted
    assert texts.bad_lines == batches.bad_lines == ([place] if len(wanted) == 2 else [])


def test_a_cut_last_line_is_reported_and_a_whole_one_without_its_newline_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    for cut in range(1, len(THREE)):
        path.write_bytes(ONE + THREE[:cut])
        texts = iter_texts(path, on_error="skip")
        if cut == len(THREE) - 1:
            assert list(texts) == ["one", "three"] and texts.bad_count == 0
        else:
            assert list(texts) == ["one"]
            assert texts.bad_lines[0].line == 2
            assert texts.bad_lines[0].reason.startswith("the last line is torn: ")


def test_a_pretty_printed_record_is_so_many_bad_lines(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"text": "two"}, indent=1).encode() + b"\n")
    texts = iter_texts(path, on_error="skip")
    assert list(texts) == ["one", "three"]
    assert [bad.line for bad in texts.bad_lines] == [2, 3, 4]


def test_a_mark_blank_lines_and_foreign_newlines_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + ONE[:-1] + b"\r\n\r\n \t\n\n" + THREE)
    assert list(iter_texts(path)) == ["one", "three"]
    assert [row["n"] for row in iter_records(path)] == [1, 3]
    assert count(path) == len(index(path)) == 2
    assert index(path)[1] == json.loads(THREE)
    path.write_bytes(b"\xef\xbb\xbf\n" + ONE)
    assert list(iter_texts(path)) == ["one"] and count(path) == 1


@pytest.mark.parametrize(
    "literal",
    [
        "0",
        "-7",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-" + "123456789" * 40,
        "9" * 4300,
    ],
)
def test_integers_are_exact(literal: str, tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text(f'{{"n":{literal},"deep":[{{"n":{literal}}}]}}\n')
    [row] = iter_records(path)
    assert row == {"n": int(literal), "deep": [{"n": int(literal)}]} and type(row["n"]) is int
    [batch] = iter_batches(path, ["n"])
    assert [int(value) for value in batch.column("n")] == [int(literal)]


def test_an_integer_that_a_column_cannot_hold_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text('{"n":9223372036854775808}\n{"n":9007199254740993}\n{"n":1}\n')
    whole = iter_batches(path, {"n": int}, on_error="skip")
    assert [batch.column("n") for batch in whole] == [[9007199254740993, 1]]
    assert whole.bad_lines[0].reason == "expected an integer of 64 bits, found `9223372036854775808`"
    double = iter_batches(path, {"n": float}, on_error="skip")
    assert [batch.column("n") for batch in double] == [[1.0]]
    assert [bad.line for bad in double.bad_lines] == [1, 2]


def test_nan_is_a_number_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text('{"n":NaN}\n{"n":[Infinity,-Infinity]}\n')
    with pytest.raises(DataError, match="line 1, byte 5: expected a value, found `N`"):
        list(iter_records(path))
    first, second = iter_records(path, nan="accept")
    assert math.isnan(first["n"]) and second["n"] == [math.inf, -math.inf]
    assert math.isnan(next(iter(iter_batches(path, {"n": float}, "skip", nan="accept"))).column("n")[0])


def test_the_last_of_two_keys_counts_only_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_text('{"text":"a","m":{"k":1,"k":2},"text":"b"}\n')
    [row] = iter_records(path, duplicate_keys="last")
    assert row == {"text": "b", "m": {"k": 2}} == json.loads(path.read_text())
    assert list(iter_texts(path, duplicate_keys="last")) == ["b"]


def test_a_line_of_100_megabytes_is_read_beside_its_neighbours(tmp_path: Path) -> None:
    long = "é" * 50_000_000
    path = written(tmp_path, b'{"text":"' + long.encode() + b'"}\n')
    assert [len(text) for text in iter_texts(path)] == [3, 50_000_000, 5]
    assert count(path) == 3 and len(index(path)[1]["text"]) == 50_000_000


def test_bad_lines_are_kept_in_quarantine_as_they_stood(tmp_path: Path) -> None:
    path = written(tmp_path, b'{"text":7}\n\xff\xfe\n')
    texts = iter_texts(path, on_error="quarantine")
    assert list(texts) == ["one", "three"] and texts.bad_count == 2
    assert texts.quarantine == tmp_path / "lines.ndjson.quarantine"
    kept = list(iter_records(texts.quarantine))
    place = {"path": str(path), "line": 2, "byte": len(ONE) + 8, "reason": "expected a string, found `7`"}
    assert kept[0] == {**place, "text": '{"text":7}'}
    assert base64.b64decode(kept[1]["base64"]) == b"\xff\xfe"
    # Read again, it is made anew; without bad lines there is none.
    assert list(iter_texts(path, on_error="quarantine")) == ["one", "three"]
    assert count(texts.quarantine) == 2
    path.write_bytes(ONE)
    assert list(iter_texts(path, on_error="quarantine")) == ["one"]
    assert not texts.quarantine.exists()


def test_a_thousand_bad_lines_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(b"bad\n" * 200_000 + ONE)
    texts = iter_texts(path, on_error="skip", threads=2)
    assert list(texts) == ["one"]
    assert (texts.bad_count, len(texts.bad_lines)) == (200_000, 1000)
    assert [bad.line for bad in texts.bad_lines] == list(range(1, 1001))


@pytest.mark.parametrize("packed", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compressed_files_are_read_by_their_magic_number(
    packed: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    rows = [{"text": f"line {number}\n", "n": number} for number in range(50_000)]
    plain = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    path = tmp_path / "lines"
    path.write_bytes(packed(plain[:1_000_000]) + packed(plain[1_000_000:]))
    assert list(iter_records(path)) == rows == list(iter_records(path, threads=3))
    assert list(iter_texts(path, threads=2)) == [row["text"] for row in rows]
    assert [n for batch in iter_batches(path, ["n"]) for n in batch.column("n")] == list(range(50_000))
    assert count(path) == 50_000
    if packed is not bytes:
        with pytest.raises(UsageError, match="there is no way to a line in the middle"):
            index(path)


def frame_of(plain: bytes) -> bytes:
    """A frame of zst that holds one block as it is (RFC 8878): no compression, but a frame as any other."""
    header = struct.pack("<IBI", 0xFD2FB528, 0b1010_0000, len(plain))
    return header + (len(plain) << 3 | 1).to_bytes(3, "little") + plain


def seek_table_of(plains: list[bytes]) -> bytes:
    """The skippable frame that ends a file of the seekable format."""
    entries = b"".join(struct.pack("<II", len(frame_of(plain)), len(plain)) for plain in plains)
    footer = struct.pack("<IBI", len(plains), 0, 0x8F92EAB1)
    return struct.pack("<II", 0x184D2A5E, len(entries + footer)) + entries + footer


@pytest.mark.parametrize("has_table", [True, False])
def test_a_line_of_a_zst_file_is_found_by_its_frame_alone(tmp_path: Path, has_table: bool) -> None:
    rows = [{"text": f"line {number}", "n": number} for number in range(1000)]
    plain = b"\xef\xbb\xbf" + b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    parts = [plain[start : start + 999] for start in range(0, len(plain), 999)]
    frames = [frame_of(part) for part in parts]
    path = tmp_path / "lines.zst"
    path.write_bytes(b"".join(frames) + (seek_table_of(parts) if has_table else b""))
    assert list(iter_records(path)) == rows and count(path) == 1000
    lines = index(path)
    assert [lines[number] for number in (999, 0, 500, 501)] == [rows[n] for n in (999, 0, 500, 501)]
    # All other frames may be gone: line 500 does not need them.
    needed = plain.index(b'"n": 500}') // 999
    others = [bytes(len(frame)) if number != needed else frame for number, frame in enumerate(frames)]
    path.write_bytes(b"".join(others))
    assert lines[500] == rows[500]
    with pytest.raises(DataError, match="the zstd frame at byte 0 is damaged"):
        lines[0]


def test_a_seek_table_that_is_not_that_of_its_frames_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lines.zst"
    path.write_bytes(frame_of(ONE) + frame_of(TWO) + seek_table_of([ONE, TWO + b" "]))
    with pytest.raises(DataError, match="the seek table is not that of the frames before it"):
        index(path)


def test_a_compressed_file_cut_short_is_an_error_behind_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.gz"
    path.write_bytes(gzip.compress(ONE * 200_000)[:-50])
    found = 0
    with pytest.raises(DataError, match="the gzip stream is cut short"):
        for _ in iter_texts(path, on_error="skip"):
            found += 1
    assert found > 100_000
    with pytest.raises(DataError, match="the gzip stream is cut short"):
        count(path)


def test_any_number_of_threads_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    lines = [b"bad" if number % 997 == 0 else b'{"n":%d}' % number for number in range(300_000)]
    path.write_bytes(b"\n".join(lines))
    alone = iter_records(path, on_error="skip")
    rows = list(alone)
    assert len(rows) == 300_000 - alone.bad_count
    for threads in (2, 5):
        together = iter_records(path, on_error="skip", threads=threads)
        assert list(together) == rows and together.bad_lines == alone.bad_lines


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=40)
@given(
    rows=st.lists(st.dictionaries(st.text(), VALUES), max_size=6),
    ascii_only=st.booleans(),
    spaces=st.booleans(),
    wanted=st.lists(st.text(max_size=2), max_size=3, unique=True),
)
def test_what_json_writes_is_read_back(
    rows: list[dict[str, Any]],
    ascii_only: bool,
    spaces: bool,
    wanted: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    separators = (" , ", " : ") if spaces else (",", ":")
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    path = tmp_path_factory.mktemp("lines") / "lines.ndjson"
    try:
        path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    except UnicodeEncodeError:  # a lone surrogate as it is
        return
    if any("\\ud" in line for line in lines):
        return  # json writes lone surrogates, which are refused
    assert list(iter_records(path)) == rows
    assert repr(list(iter_records(path))) == repr(rows)  # 1 is not 1.0, and keys keep their order
    picked = [{key: value for key, value in row.items() if key in wanted} for row in rows]
    assert list(iter_records(path, wanted)) == picked
    assert [index(path)[number] for number in range(len(rows))] == rows


def test_a_line_by_number_is_found_and_a_bad_one_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, b"\n{broken\n")
    lines = index(path)
    assert (len(lines), lines[0]["n"], lines[-1]["n"], lines[2]["n"]) == (3, 1, 3, 3)
    assert lines.line(1) == b"{broken\n"
    with pytest.raises(DataError, match=rf"line 2, byte {len(ONE) + 2}: expected a key, found `b`"):
        lines[1]
    for number in (3, -4, 10**9):
        with pytest.raises(IndexError, match=f"no line {number} in a file of 3"):
            lines[number]
    path.write_bytes(ONE)
    with pytest.raises((DataError, OSError)):
        lines.line(2)


def test_arguments_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, b"")
    calls: list[tuple[str, Callable[[], object]]] = [
        (
            "`on_error` is 'ignore', expected one of raise, skip, quarantine",
            lambda: iter_texts(path, on_error="ignore"),
        ),  # type: ignore[arg-type]
        ("`nan` is 'yes'", lambda: iter_texts(path, nan="yes")),  # type: ignore[arg-type]
        ("`duplicate_keys` is 'first'", lambda: iter_texts(path, duplicate_keys="first")),  # type: ignore[arg-type]
        ("`threads` is 0, expected at least 1", lambda: iter_texts(path, threads=0)),
        ("`quarantine` is for", lambda: iter_texts(path, quarantine=tmp_path / "bad")),
        ("keys are the string 'text'", lambda: iter_records(path, "text")),
        ("a key is asked for twice", lambda: iter_batches(path, ["n", "n"])),
        ("the column `n` is of 'date'", lambda: iter_batches(path, {"n": "date"})),
        ("no columns", lambda: iter_batches(path, [])),
    ]
    for message, call in calls:
        with pytest.raises(UsageError) as caught:
            call()
        assert message in str(caught.value)
    for read in (iter_texts, iter_records, count, index):
        with pytest.raises(MissingDataError, match=r"^cannot read `nowhere`"):
            read("nowhere")  # type: ignore[operator]


def test_the_interpreter_is_free_while_lines_are_waited_for(tmp_path: Path) -> None:
    """The reader waits on a pipe; whoever fills it needs the interpreter, so a reader that kept it would wait for ever."""
    pipe, found = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.extend(iter_texts(pipe)), daemon=True)
    reader.start()
    pipe.write_bytes(ONE * 100)
    reader.join()
    assert found == ["one"] * 100


def test_a_reader_that_is_left_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    path.write_bytes(ONE * 500_000)
    tracemalloc.start()
    for _ in range(20):
        assert next(iter_texts(path, threads=4)) == "one"
    assert tracemalloc.get_traced_memory()[0] < 20_000_000
    tracemalloc.stop()
