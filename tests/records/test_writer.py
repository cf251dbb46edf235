"""Rows appended to a file of NDJSON: exact, whole, by one writer, and as safe as was asked."""

from __future__ import annotations

import enum
import json
import math
import random
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError, DiskFullError, LockError, UsageError
from codex.file import FailPoints
from codex.records import Writer, iter_records

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=20,
)
ROWS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=5), max_size=6)

APPEND = """
import sys
from codex.records import Writer
writer = Writer(sys.argv[1], sys.argv[3])
print(writer.torn_bytes, flush=True)
number = int(sys.argv[2])
while True:
    rows = [{"n": number + i, "pad": "x" * (number % 977)} for i in range(1 + number % 5)]
    number += writer.append_many(rows)
"""


class Colour(enum.IntEnum):
    """An integer that calls itself otherwise."""

    RED = 7


@given(ROWS, ROWS)
def test_what_was_appended_is_read_back_by_us_and_by_json(
    tmp_path_factory: pytest.TempPathFactory, single: list[dict[str, Any]], many: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.ndjson"
    with Writer(path, "none") as writer:
        for row in single:
            writer.append(row)
        assert writer.append_many(row for row in many) == len(many)
    assert list(map(_exact, iter_records(path))) == list(map(_exact, single + many))
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    assert [_exact(json.loads(line)) for line in lines] == list(map(_exact, single + many))


def _exact(value: object) -> str:
    """Tells 1 from 1.0 and 0.0 from -0.0, which `==` does not."""
    return repr(value)


def test_rows_of_changing_shape_keep_their_own_keys(tmp_path: Path) -> None:
    shapes = [("a", "b"), ("a", "c"), ("b",), (), ("a", "b", "c"), tuple(map(str, range(100)))]
    rows = [dict.fromkeys(shape, number) for number, shape in enumerate(shapes * 3)]
    with Writer(tmp_path / "rows") as writer:
        for row in rows:
            writer.append(row)
    assert list(iter_records(tmp_path / "rows")) == rows


def test_what_stands_in_for_plain_values_is_written_as_what_it_is(tmp_path: Path) -> None:
    class Name(str):
        __slots__ = ()

    row = {
        Name("a"): Colour.RED,
        "b": Name("é"),
        "c": (1, (2.0,)),
        "d": OrderedDict(x=[]),
        "e": 10**30,
        "f": {},
    }
    with Writer(tmp_path / "rows") as writer:
        writer.append(row)
        writer.append(row)
    line = b'{"a":7,"b":"\xc3\xa9","c":[1,[2.0]],"d":{"x":[]},"e":1000000000000000000000000000000,"f":{}}\n'
    assert (tmp_path / "rows").read_bytes() == line * 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([], "`row` is of type list, expected a dictionary"),
        ({"a": {1}}, r'`row\["a"\]` is of type set, expected a string, a number'),
        ({"a": [0, {"é": b""}]}, r'`row\["a"\]\[1\]\["é"\]` is of type bytes'),
        ({"a": {1: 2}}, r'`row\["a"\]` has a key of type int, expected a string'),
        ({"a": math.nan}, r'`row\["a"\]` is NaN, which JSON does not have'),
        ({"a": -math.inf}, r'`row\["a"\]` is -Infinity, which JSON does not have'),
        ({"a": "\ud800"}, r'`row\["a"\]` has half a surrogate pair'),
        ({"\ud800": 1}, r"`row` has half a surrogate pair"),
        ({"a": 10**5000}, r'`row\["a"\]` is an integer of more digits than Python writes'),
    ],
)
def test_a_row_without_json_is_refused_by_its_place_and_nothing_of_it_is_written(
    tmp_path: Path, row: Any, message: str
) -> None:
    with Writer(tmp_path / "rows") as writer:
        writer.append({"a": 1})
        with pytest.raises(DataError, match=message):
            writer.append(row)
        with pytest.raises(DataError, match=message.replace("`row", r"`rows\[1\]", 1)):
            writer.append_many([{"a": 2}, row])
        writer.append({"a": 3})
    assert list(iter_records(tmp_path / "rows")) == [{"a": 1}, {"a": 3}]


def test_nesting_ends_where_reading_does(tmp_path: Path) -> None:
    deep: Any = 0
    for _ in range(126):
        deep = [deep]
    with Writer(tmp_path / "rows") as writer:
        writer.append({"a": deep})
        with pytest.raises(DataError, match="is nested deeper than 127 levels"):
            writer.append({"a": [deep]})
        loop: list[Any] = []
        loop.append(loop)
        with pytest.raises(DataError, match="is nested deeper than 127 levels"):
            writer.append({"a": loop})
    assert list(iter_records(tmp_path / "rows")) == [{"a": deep}]


def test_nan_is_written_where_it_is_accepted(tmp_path: Path) -> None:
    with Writer(tmp_path / "rows", nan="accept") as writer:
        writer.append({"a": [math.nan, math.inf, -math.inf]})
    assert (tmp_path / "rows").read_bytes() == b'{"a":[NaN,Infinity,-Infinity]}\n'
    [row] = iter_records(tmp_path / "rows", nan="accept")
    assert repr(row) == "{'a': [nan, inf, -inf]}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"durability": "fsync"}, "`durability` is fsync, expected none, flush or durable"),
        ({"nan": "null"}, "`nan` is null, expected refuse or accept"),
        ({"rotate_bytes": 0}, "`rotate_bytes` is less than 1"),
        ({"rotate_bytes": -5}, "`rotate_bytes` is less than 1"),
    ],
)
def test_an_argument_that_is_none_is_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Writer(tmp_path / "rows", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    process = subprocess.Popen(
        [sys.executable, "-c", APPEND, str(path), "0", "flush"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        with pytest.raises(
            LockError, match=rf"rows` is being written by process {process.pid} \("
        ) as refused:
            Writer(path)
        assert refused.value.exit_code == 5
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with Writer(path) as writer:
        writer.append({})


@pytest.mark.parametrize("durability", ["flush", "durable"])
def test_killed_at_random_moments_it_holds_every_row_in_order(tmp_path: Path, durability: str) -> None:
    path, torn_path = tmp_path / "rows.ndjson", tmp_path / "rows.ndjson.torn"
    moments = random.Random(8)
    held, torn, moved = 0, b"", b""
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", APPEND, str(path), str(held), durability],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == f"{len(torn)}\n"
        moved += torn + b"\n" if torn else b""
        time.sleep(moments.uniform(0.01, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        *lines, torn = path.read_bytes().split(b"\n")
        assert [json.loads(line)["n"] for line in lines] == list(range(len(lines)))
        assert len(lines) >= held
        held = len(lines)
    with Writer(path) as writer:
        assert (writer.torn_bytes, writer.torn_path) == (len(torn), torn_path if torn else None)
    moved += torn + b"\n" if torn else b""
    assert held > 0 and (torn_path.read_bytes() if torn_path.exists() else b"") == moved


def test_a_torn_tail_is_kept_aside_in_a_file_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b'{"n":1}\n{"n":')
    with Writer(path) as writer:
        assert (writer.torn_path, writer.torn_bytes) == (tmp_path / "rows.torn", 5)
        writer.append({"n": 2})
    assert [row["n"] for row in iter_records(path)] == [1, 2]
    assert (tmp_path / "rows.torn").read_bytes() == b'{"n":\n'


def test_a_file_that_would_grow_too_long_gets_a_name_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    with Writer(path, rotate_bytes=50) as writer:
        for number in range(30):
            writer.append({"n": number})
        writer.append_many([{"n": number} for number in range(30, 60)])
        with pytest.raises(LockError):
            Writer(path)
    with Writer(path, rotate_bytes=50) as writer:
        writer.append({"n": 60})
    names = sorted(entry.name for entry in tmp_path.iterdir())
    older = [f"rows.{number:06}.ndjson" for number in range(1, len(names))]
    assert names == [*older, "rows.ndjson"]
    read = [row["n"] for name in [*older, "rows.ndjson"] for row in iter_records(tmp_path / name)]
    assert read == list(range(61))
    assert all((tmp_path / name).stat().st_size <= 50 for name in older[:-1])
    assert (tmp_path / older[-1]).stat().st_size == 270, "one batch is never divided"


@pytest.mark.parametrize("rule", ["file.create=eio@1", "file.swap=eio@1", "file.sync-folder=eio@1"])
def test_a_turn_of_files_that_fails_loses_nothing_and_the_next_fills_what_it_left(
    tmp_path: Path, rule: str
) -> None:
    path = tmp_path / "rows.ndjson"
    with Writer(path, rotate_bytes=10) as writer:
        writer.append({"n": 0})
        with FailPoints(rule), pytest.raises(OSError, match="cannot rotate"):
            writer.append({"n": 1})
    with Writer(path, rotate_bytes=10) as writer:
        writer.append({"n": 2})
        writer.append({"n": 3})
    files = sorted(entry for entry in tmp_path.iterdir() if entry != path)
    assert [row["n"] for file in [*files, path] for row in iter_records(file)] == [0, 2, 3]


def test_a_full_disk_leaves_no_part_of_a_row(tmp_path: Path) -> None:
    with Writer(tmp_path / "rows") as writer:
        writer.append({"n": 1})
        with FailPoints("file.write=short@1,file.write=enospc@2"), pytest.raises(DiskFullError):
            writer.append({"n": 2})
        writer.append({"n": 3})
    assert [row["n"] for row in iter_records(tmp_path / "rows")] == [1, 3]


def test_threads_share_a_writer_and_lose_nothing(tmp_path: Path) -> None:
    def add(name: int) -> None:
        for number in range(40):
            writer.append({"thread": name, "n": number})

    with Writer(tmp_path / "rows", "durable") as writer:
        threads = [threading.Thread(target=add, args=(name,)) for name in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rows = list(iter_records(tmp_path / "rows"))
    assert all([row["n"] for row in rows if row["thread"] == name] == list(range(40)) for name in range(6))


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "rows", "none")
    writer.append({"n": 1})
    assert (tmp_path / "rows").read_bytes() == b""
    writer.flush()
    assert (tmp_path / "rows").read_bytes() == b'{"n":1}\n'
    writer.sync()
    writer.close()
    writer.close()
    for use in (lambda: writer.append({}), writer.flush, writer.sync):
        with pytest.raises(UsageError, match="the writer is closed already"):
            use()
