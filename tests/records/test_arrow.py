"""Columns as the Arrow C data interface hands them over, read here by hand, as pyarrow and polars read them."""

from __future__ import annotations

import ctypes
import gc
import json
from pathlib import Path
from typing import Any

import pytest

from codex.records import RecordBatch, iter_batches


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))),
    ("private_data", ctypes.c_void_p),
]

pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def structures(batch: RecordBatch) -> tuple[Schema, Array, tuple[object, object]]:
    """Both structures, and the capsules that own them."""
    capsules = batch.__arrow_c_array__()
    schema = Schema.from_address(pointer_of(capsules[0], b"arrow_schema"))
    return schema, Array.from_address(pointer_of(capsules[1], b"arrow_array")), capsules


def values_of(format: bytes, array: Array) -> list[Any]:
    """A column read as the specification lays it out."""
    buffers = [array.buffers[number] for number in range(array.n_buffers)]
    count = array.length

    def bits(address: int) -> list[bool]:
        held = ctypes.string_at(address, (count + 7) // 8)
        return [bool(held[row // 8] >> row % 8 & 1) for row in range(count)]

    are_valid = bits(buffers[0]) if buffers[0] else [True] * count
    assert are_valid.count(False) == array.null_count
    found: list[Any]
    if format == b"U":
        ends = (ctypes.c_int64 * (count + 1)).from_address(buffers[1])
        held = ctypes.string_at(buffers[2], ends[count])
        found = [held[ends[row] : ends[row + 1]].decode() for row in range(count)]
    elif format == b"b":
        found = bits(buffers[1])
    else:
        kind = {b"l": ctypes.c_int64, b"g": ctypes.c_double}[format]
        found = list((kind * count).from_address(buffers[1]))
    return [value if is_valid else None for value, is_valid in zip(found, are_valid, strict=True)]


def columns_of(batch: RecordBatch) -> dict[str, list[Any]]:
    schema, array, capsules = structures(batch)
    assert (schema.format, schema.n_children, array.n_children) == (
        b"+s",
        len(batch.column_names),
        schema.n_children,
    )
    assert array.length == len(batch)
    found = {}
    for number in range(schema.n_children):
        child = schema.children[number].contents
        found[child.name.decode()] = values_of(child.format, array.children[number].contents)
    del capsules
    return found


ROWS: list[dict[str, Any]] = [
    {"text": "é\n", "n": -1, "x": 1.5, "b": True, "m": {"k": [1, None]}, "other": 1},
    {"text": None, "n": None, "x": None, "b": None, "m": None},
    {},
    {"text": "", "n": 2**63 - 1, "x": 7, "b": False, "m": "text"},
    *(
        {"text": f"{number}" * 5, "n": number, "x": number / 3, "b": number % 3 == 0, "m": number}
        for number in range(20)
    ),
]


def written(path: Path) -> Path:
    file = path / "lines.ndjson"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return file


@pytest.mark.parametrize("threads", [1, 2])
def test_every_column_has_its_values_and_its_nulls(threads: int, tmp_path: Path) -> None:
    columns: dict[str, type | str] = {"b": bool, "text": str, "m": "json", "x": float, "n": int, "none": str}
    [batch] = iter_batches(written(tmp_path), columns, threads=threads)
    assert batch.column_names == list(columns) and len(batch) == len(ROWS)
    found = columns_of(batch)
    assert found == {name: batch.column(name) for name in columns}
    for name in ("b", "text", "x", "n", "none"):
        assert found[name] == [row.get(name) for row in ROWS]
    assert [None if value is None else json.loads(value) for value in found["m"]] == [
        row.get("m") for row in ROWS
    ]


def test_types_follow_from_the_first_mebibyte(tmp_path: Path) -> None:
    [batch] = iter_batches(written(tmp_path), ["x", "n", "b", "m", "text", "none"])
    schema, _, capsules = structures(batch)
    formats = [schema.children[number].contents.format for number in range(6)]
    assert formats == [b"g", b"l", b"b", b"U", b"U", b"U"]
    del capsules


def test_columns_live_as_long_as_whoever_took_them(tmp_path: Path) -> None:
    path = written(tmp_path)
    [batch] = iter_batches(path, ["text"])
    _, array, capsules = structures(batch)
    child = array.children[0].contents
    del batch
    gc.collect()
    assert values_of(b"U", child) == [row.get("text") for row in ROWS]
    # A consumer that takes the array releases it itself, and the capsule then does nothing more.
    array.release(ctypes.byref(array))
    assert not array.release
    del capsules
    gc.collect()


def test_peers_take_it_as_it_is(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    [batch] = iter_batches(written(tmp_path), ["text", "n"])
    taken = pyarrow.record_batch(batch)
    assert taken.to_pydict() == {"text": batch.column("text"), "n": batch.column("n")}
    taken.validate(full=True)


def test_polars_takes_it_as_it_is(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    [batch] = iter_batches(written(tmp_path), ["text", "x", "b"])
    frame = polars.DataFrame(batch)
    assert frame.to_dict(as_series=False) == {name: batch.column(name) for name in ("text", "x", "b")}


def test_peers_take_all_batches_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "lines.ndjson"
    rows = [{"text": f"{number}é" * 20, "n": number if number % 7 else None} for number in range(60_000)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns: dict[str, type | str] = {"text": str, "n": int}
    assert len(list(iter_batches(path, columns))) > 2
    wanted = {name: [row[name] for row in rows] for name in columns}

    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(iter_batches(path, columns))
    table.validate(full=True)
    assert table.to_pydict() == wanted
    # What has been taken is not given again, and the end stays the end.
    lines = iter_batches(path, columns)
    first = next(lines)
    reader = pyarrow.RecordBatchReader.from_stream(lines)
    assert reader.read_all().num_rows == len(rows) - len(first)
    assert list(lines) == []


def test_polars_takes_all_batches_as_a_stream(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    columns: dict[str, type | str] = {"b": bool, "text": str, "m": "json", "x": float}
    frame = polars.DataFrame(iter_batches(written(tmp_path), columns))
    [batch] = iter_batches(tmp_path / "lines.ndjson", columns)
    assert frame.to_dict(as_series=False) == {name: batch.column(name) for name in columns}


def test_a_bad_line_ends_a_stream_with_its_place_and_is_passed_over_where_that_was_asked(
    tmp_path: Path,
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "lines.ndjson"
    path.write_text('{"n": 1}\n{"n": "two"}\n{"n": 3}\n')
    with pytest.raises(OSError, match="line 2, byte 15: expected a number"):
        pyarrow.table(iter_batches(path, {"n": int}))
    lines = iter_batches(path, {"n": int}, on_error="skip")
    assert pyarrow.table(lines).to_pydict() == {"n": [1, 3]}
    assert [bad.line for bad in lines.bad_lines] == [2]


def test_a_stream_that_nobody_takes_is_freed(tmp_path: Path) -> None:
    lines = iter_batches(written(tmp_path), ["text"])
    capsule = lines.__arrow_c_stream__()
    del capsule
    gc.collect()
    assert sum(map(len, lines)) == len(ROWS)


def test_a_column_that_was_not_asked_for_is_none(tmp_path: Path) -> None:
    [batch] = iter_batches(written(tmp_path), ["text"])
    with pytest.raises(KeyError, match="other"):
        batch.column("other")
