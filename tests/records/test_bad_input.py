"""Every bad line is (file, line, byte, reason), and no damage becomes another text."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError
from codex.records import BadLine, Record, Source, count_records, encode_records, read_records

GOOD = encode_records([Record.of("abc\n", Source("a.txt"), {"n": 1})])
SOURCE = b'{"path":"a","member":null,"offset":0,"encoding":"utf-8","errors":0}'
HEAD = b'{"id":"ba7816bf8f01cfea414140de5dae2223","text":"abc","source":' + SOURCE


def read(path: Path) -> tuple[list[str], list[BadLine]]:
    bad: list[BadLine] = []
    texts = [record.text for record in read_records(path, bad_lines=bad)]
    return texts, bad


@pytest.mark.parametrize(
    ("line", "byte", "reason"),
    [
        (b"{", 2, "expected a key, found the end of the line"),
        (b"[]", 0, "expected an object, found `[`"),
        (b"{}", 0, "the key `id` is missing"),
        (b"\xef\xbb\xbf{}", 0, "expected an object, found `\\u{feff}`"),
        (HEAD + b"} " + HEAD + b"}", len(HEAD) + 2, "expected the end of the line, found `{`"),
        (HEAD + b',"text":"abc"}', len(HEAD) + 1, "the key `text` stands twice"),
        (HEAD + b',"label":1}', len(HEAD) + 1, "unknown key `label`"),
        (HEAD + b',"meta":{"a":{"b":1,"b":1}}}', len(HEAD) + 20, "the key `b` stands twice"),
        (HEAD + b',"meta":{"a":NaN}}', len(HEAD) + 13, "expected a value, found `N`"),
        (HEAD + b',"meta":{"a":-Infinity}}', len(HEAD) + 13, "expected a number, found `-`"),
        (HEAD + b',"meta":{"a":1e400}}', len(HEAD) + 13, "the number 1e400 is out of range"),
        (
            HEAD + b',"meta":{"a":18446744073709551615}}',
            len(HEAD) + 13,
            "the integer 18446744073709551615 is beyond",
        ),
        (HEAD + b',"meta":{"a":' + b"[" * 2000, len(HEAD) + 138, "nested deeper than 127 levels"),
        (HEAD + b',"meta":{"a":"\\ud800"}}', len(HEAD) + 14, "lone surrogate `\\ud800`"),
        (HEAD + b',"meta":null}', len(HEAD) + 8, "`meta` is no object"),
        (HEAD.replace(b"abc", b"ab\xe9"), 51, "not UTF-8: byte 0xe9"),
        (HEAD.replace(b"abc", b"ab\0"), 51, "control character 0x00 in a string"),
        (HEAD.replace(b'"abc"', b'"abd"') + b"}", 1, "but the text has a52d159f262b2c6ddb724a61840befc3"),
        (HEAD.replace(b"ba78", b"BA78") + b"}", 6, "is no id, expected 32 lower-case hex digits"),
        (HEAD.replace(b'"a"', b"null") + b"}", 71, "expected a string, found `n`"),
    ],
)
def test_a_bad_line_has_its_line_its_byte_and_its_reason(
    line: bytes, byte: int, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "records.ndjson"
    path.write_bytes(GOOD + b"\n" + line + b"\r\n" + GOOD)
    texts, [bad] = read(path)
    assert texts == ["abc\n", "abc\n"]
    assert (bad.path, bad.line, bad.byte) == (str(path), 3, len(GOOD) + 1 + byte)
    assert reason in bad.reason
    with pytest.raises(DataError, match=f"line 3, byte {bad.byte}: "):
        list(read_records(path))


def test_an_id_is_trusted_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    path.write_bytes(GOOD.replace(b"abc", b"abd"))
    assert [record.text for record in read_records(path, verify=False)] == ["abd\n"]
    assert count_records(path) == 1
    with pytest.raises(DataError, match="line 1, byte 1: the id is "):
        list(read_records(path))


@pytest.mark.parametrize("tail", [GOOD[:-2], b"\0" * 4096, b"{", GOOD[:-1] + b"\0\0"])
def test_a_torn_last_line_is_reported(tail: bytes, tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    path.write_bytes(GOOD + tail)
    texts, [bad] = read(path)
    assert texts == ["abc\n"] and bad.line == 2 and bad.byte >= len(GOOD)
    assert bad.reason.startswith("the last line is torn: ")
    with pytest.raises(DataError, match=r"line 2, byte \d+: the last line is torn"):
        count_records(path)


def test_foreign_habits_are_accepted_where_they_are_documented(tmp_path: Path) -> None:
    path = tmp_path / "records.ndjson"
    value = json.loads(GOOD)
    loose = json.dumps(dict(reversed(value.items())), ensure_ascii=True, separators=(" , ", " : ")).encode()
    path.write_bytes(b"\xef\xbb\xbf\r\n \t\n" + loose + b"\r\n\n" + loose)
    assert encode_records(read_records(path)) == GOOD * 2


def test_no_flipped_bit_becomes_another_text(tmp_path: Path) -> None:
    """Each bit of a small file: the line is refused, or its text is what it was."""
    path = tmp_path / "records.ndjson"
    texts = ["abc\n", "é\\u00e9"]
    data = encode_records([Record.of(text, Source("a.txt")) for text in texts])
    refused = 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        found, bad = read(path)
        assert set(found) <= set(texts)
        assert bad or found == texts
        refused += bool(bad)
    assert refused > 0.8 * 8 * len(data)


@given(
    pieces=st.lists(
        st.sampled_from([GOOD, GOOD[:40], GOOD[40:], b"\n", b"\0", b"\xff", b" ", b"{", b'"', b"}"])
    )
)
def test_any_file_is_read_to_its_end(pieces: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("records") / "records.ndjson"
    data = b"".join(pieces)
    path.write_bytes(data)
    texts, bad = read(path)
    lines = [line for line in data.split(b"\n") if line.strip(b" \t\r")]
    assert len(texts) + len(bad) == len(lines)
    assert set(texts) <= {"abc\n"}
    assert all(0 <= fault.byte <= len(data) for fault in bad)
    assert [fault.line for fault in bad] == sorted({fault.line for fault in bad})


def test_batches_end_wherever_a_bad_line_is(tmp_path: Path) -> None:
    source, path = random.Random(20261121), tmp_path / "records.ndjson"
    are_good = [source.random() < 0.99 for _ in range(20_000)]
    path.write_bytes(b"".join(GOOD if is_good else b"bad\n" for is_good in are_good))
    texts, bad = read(path)
    assert len(texts) == sum(are_good)
    assert [fault.line - 1 for fault in bad] == [line for line, is_good in enumerate(are_good) if not is_good]
