"""RFC 8259 case by case, in the manner of JSONTestSuite: what must be read and what must be refused.

A case stands for the value of a key, with good lines before and behind, so that nothing it does reaches its neighbours.
Python's own `json` tells what a good value is; of a bad one, all three readers must say the same place and go on.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex.records import iter_batches, iter_records, iter_texts

GOOD = b'{"text":"good","v":0}\n'

MUST_READ = [
    # numbers
    b"0", b"-0", b"0e1", b"0e+1", b"0E-1", b"0.0", b"-0.0", b"1", b"-1", b"10", b"123", b"20e1", b"1E22",
    b"1E-2", b"1E+2", b"123e45", b"123.456e78", b"1e-2", b"1e+2", b"123.456789",
    b"-0.000000000000000000000000000000000000000000000000000000001", b"4.9e-324", b"1e-400",
    b"1.7976931348623157e308", b"9007199254740993", b"-9223372036854775808", b"18446744073709551616",
    b"100000000000000000000000000000000000000000",
    # strings
    b'""', b'" "', b'"a"', b'"\\""', b'"\\\\"', b'"\\/"', b'"\\b\\f\\n\\r\\t"', b'"\\u0000"', b'"\\u001f"',
    b'"\\u0060\\u012a\\u12AB"', b'"\\uD801\\udc37"', b'"\\ud83d\\ude39\\ud83d\\udc8d"', b'"\\uDBFF\\uDFFE"',
    b'"\\uFFFF"', b'"\\uFDD0"', b'"\\u200B"', b'"\\\\u0000"', b'"\\\\a"', b'"\x7f"', b'"/*comment*/ // #"',
    b'"\xc2\x80"', b'"\xe2\x80\xa8\xe2\x80\xa9"', b'"\xef\xbb\xbf"', b'"\xef\xbf\xbf"', b'"\xed\x9f\xbf"',
    b'"\xee\x80\x80"', b'"\xf0\x9f\x98\x80"', b'"\xf4\x8f\xbf\xbf"', b'"\xc3\xa9\\u00e9e\xcc\x81"', b'"asd "',
    b'"[,:{}]"',
    # arrays
    b"[]", b"[ ]", b"[[]]", b'[""]', b"[false]", b"[null, 1, \"1\", {}]", b"[1\t,\r2 ]",
    b"[1,null,null,null,2]", b"[[[[[[[[1]]]]]]]]",
    # objects
    b"{}", b"{ }", b'{"":0}', b'{"a":[]}', b'{"a":{"a":{"a":1}}}', b'{"min":-1.0e+28,"max":1.0e+28}',
    b'{"\\u0061b":1,"b":2}', b'{"foo\\u0000bar":42}', b'{"title":"\\u041f\\u043e"}', b'{"a":1,"A":2}',
    b'{ "a" : "b" , "c" : null }', b'{"\xc3\xa9":1,"e\xcc\x81":2}',
    # words
    b"true", b"false", b"null",
]  # fmt: skip

MUST_REFUSE = [
    # numbers
    b"-", b"+1", b"++1", b"-01", b"-012", b"012", b"00", b"01.5", b".1", b"-.123", b"1.", b"-1.", b"2.e3",
    b"2.e-3", b"2.e+3", b"0.e1", b"0e", b"0e+", b"0E", b"0E+", b"0.3e", b"0.3e+", b"1.0e", b"1.0e-", b"1eE2",
    b"1e1.5", b"1ee1", b"1e--1", b"1+2", b"0x1", b"0x42", b"1_000", b"1 000", b"1a", b"1.2a", b"1e1a", b"-1x",
    b"- 1", b"-foo", b"--1", b"1,5", b"NaN", b"-NaN", b"+Inf", b"Inf", b"Infinity", b"-Infinity", b"nan",
    b"1.8011670033376514H-308", b"\xef\xbc\x91", b"\xe2\x88\x921", b"1\x00", b"$1", b"1e400", b"-1e400",
    # strings
    b'"', b'"a', b"'a'", b"a", b"\\n", b'"\\', b'"\\"', b'"\\x00"', b'"\\a"', b'"\\0"', b'"\\\xc3\xa9"',
    b'"\\u"', b'"\\u0"', b'"\\u00A"', b'"\\u00"', b'"\\u00g0"', b'"\\uqqqq"', b'"\\U0041"', b'"\\u+041"',
    b'"\\u 041"', b'"\\u-041"', b'"a\tb"', b'"a\x00b"', b'"\x1f"', b'"\\ud800"', b'"\\uDc00"', b'"\\ud800\\u"',
    b'"\\ud800\\u1"', b'"\\ud800a"', b'"\\ud800\\ud800"', b'"\\uDd1e\\uD834"', b'"\\ud800\\n"',
    b'"\\ud83d\\u0041"', b'"\x80"', b'"\xff"', b'"\xe9"', b'"\xc0\xaf"', b'"\xe0\x80\xaf"', b'"\xc3"',
    b'"\xe2\x82"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"', b'"\xf4\x90\x80\x80"', b'"\xf0\x80\x80\x80"',
    b'"\xf8\x88\x80\x80\x80"', b'"\xfe"', b'"a"b', b'"a" "b"', b'"a"x',
    # arrays
    b"[", b"]", b"[1", b"[1,", b"[1,]", b"[,1]", b"[,]", b"[1,,2]", b"[,", b"[1 2]", b'["" 3]', b'["a": 1]',
    b"[1}", b"[3[4]]", b"[]]", b"[[]", b"[1:2]", b"[x", b'["x"', b"[-]", b"[nul]", b"[*]", b"[\x0c]",
    b"[\xc2\xa0]", b"[\xe2\x81\xa0]", b"[1,#]",
    # objects
    b"{", b"{]", b'{"a"', b'{"a":', b'{"a":"b', b'{"a" "b"}', b'{"a"}', b'{"a":}', b'{"a"::1}',
    b'{"a":1 "b":2}', b'{"a":1,}', b'{"a":1,,"b":2}', b'{,"a":1}', b"{a:1}", b"{'a':1}", b"{1:1}", b"{null:1}",
    b"{[]:1}", b'{"a":1]', b'{"a":1,"b"}', b'{"a",1}', b'{"a":/*c*/1}', b'{"a":1}//', b'{"a":1}#', b'{"a"=1}',
    b'{"a":1;"b":2}', b'{"\xff":1}', b'{"\\ud800":1}', b'{"a":1,"a":1}', b'{"a":1,"\\u0061":2}',
    b'{"":0,"":0}',
    # words
    b"tru", b"true1", b"truefalse", b"True", b"TRUE", b"fals", b"nul", b"None", b"undefined", b"yes", b"",
    # nesting
    b"[" * 127 + b"]" * 127, b'{"a":' * 127 + b"1" + b"}" * 127, b"[" * 100_000,
]  # fmt: skip

#: Whole lines: what an object of JSON is not.
NO_LINES = [
    b"null", b"1", b'"text"', b"[]", b"{}{}", b"{} {}", b"{},", b"{}}", b"{}]", b",{}", b"x{}", b"{}x",
    b"\x00", b"\xff{}", b"\xfe\xff\x00{\x00}", b"{\x00}", b"\x0c{}", b"\xc2\xa0{}", b"{}\xc2\xa0",
    b"\xe2\x80\xa8{}", b"\\u007b}", b"<{}>", b"/**/{}", b"{}//", b"# {}", b'{"a":1', b"{", b"}",
]  # fmt: skip


def in_the_middle(path: Path, line: bytes) -> Path:
    file = path / "lines.ndjson"
    file.write_bytes(GOOD + line + b"\n" + GOOD)
    return file


@pytest.mark.parametrize("value", MUST_READ, ids=range(len(MUST_READ)))
def test_what_json_is_is_read_exactly(value: bytes, tmp_path: Path) -> None:
    line = b'{"text":"a","v":' + value + b"}"
    path = in_the_middle(tmp_path, line)
    _, row, _ = iter_records(path)
    assert repr(row) == repr(json.loads(line))
    assert list(iter_texts(path)) == ["good", "a", "good"]
    columns = [batch.column("v") for batch in iter_batches(path, {"v": "json"})]
    written = None if value == b"null" else value.strip().decode()
    assert columns == [["0", written, "0"]]


@pytest.mark.parametrize("value", MUST_REFUSE, ids=range(len(MUST_REFUSE)))
def test_what_json_is_not_is_refused_by_all_readers_at_the_same_place(value: bytes, tmp_path: Path) -> None:
    assert_refused(in_the_middle(tmp_path, b'{"text":"a","v":' + value + b"}"), value)


@pytest.mark.parametrize("line", NO_LINES, ids=range(len(NO_LINES)))
def test_a_line_that_is_no_object_is_refused(line: bytes, tmp_path: Path) -> None:
    assert_refused(in_the_middle(tmp_path, line), line)


def assert_refused(path: Path, what: bytes) -> None:
    rows = iter_records(path, on_error="skip")
    assert [row["v"] for row in rows] == [0, 0]
    places = [] if what in BEYOND_A_DOUBLE else rows.bad_lines
    texts = iter_texts(path, on_error="skip")
    assert list(texts) == (["good", "a", "good"] if what in BEYOND_A_DOUBLE else ["good", "good"])
    columns = iter_batches(path, {"v": "json", "text": str}, on_error="skip")
    assert sum(map(len, columns)) == 3 - len(places)
    [bad] = rows.bad_lines
    assert bad.line == 2 and len(GOOD) <= bad.byte <= path.stat().st_size - len(GOOD) and bad.reason
    assert texts.bad_lines == columns.bad_lines == places


#: JSON all the same: refused by who is asked for the value.
BEYOND_A_DOUBLE = (b"1e400", b"-1e400")
