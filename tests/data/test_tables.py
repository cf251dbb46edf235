"""Parquet and Arrow: every row is a document or is counted, whatever Arrow can make of a table."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

from codex.data.columns import read_column
from codex.errors import DataError
from codex.records import read_records

Codex = Callable[..., "subprocess.CompletedProcess[str]"]
TEXTS = ["one", "two\r\nlines", None, "", "vier"] * 900


def write(path: Path, column: pa.Array, key: str = "text") -> None:
    table = pa.table({"n": list(range(len(column))), key: column})
    if path.suffix == ".parquet":
        pq.write_table(table, path, row_group_size=700)
    elif path.name.startswith("file"):
        with ipc.new_file(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=3000)
    else:
        with ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=300)


TYPES = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
NAMES_AND_TYPES = [(name, kind) for name in ("a.parquet", "file.arrow", "stream.arrow") for kind in TYPES]
NAMES_AND_TYPES += [(name, pa.string_view()) for name in ("file.arrow", "stream.arrow")]


@pytest.mark.parametrize(("name", "kind"), NAMES_AND_TYPES, ids=str)
def test_a_column_of_any_type_of_text_is_read(tmp_path: Path, name: str, kind: pa.DataType) -> None:
    column = pa.array(TEXTS).cast(kind) if kind != pa.string_view() else pa.array(TEXTS, kind)
    write(tmp_path / name, column)
    read = list(read_column(tmp_path / name, "text", name.rpartition(".")[2]))
    assert read == TEXTS


@pytest.mark.parametrize("name", ["a.parquet", "file.arrow", "stream.arrow"])
@pytest.mark.parametrize(
    ("column", "key", "reason"),
    [
        (pa.array([1, 2]), "text", "no text: the column `text` is of int64"),
        (pa.array([["a"]]), "text", "no text: the column `text` is of list<"),
        (pa.array(["a"]), "body", "no text: no column `text`"),
    ],
)
def test_a_table_without_texts_is_refused(
    tmp_path: Path, name: str, column: pa.Array, key: str, reason: str
) -> None:
    write(tmp_path / name, column, key)
    with pytest.raises(DataError) as raised:
        list(read_column(tmp_path / name, "text", name.rpartition(".")[2]))
    assert raised.value.message.startswith(reason)


@pytest.mark.parametrize("name", ["a.parquet", "file.arrow", "stream.arrow"])
def test_a_damaged_table_is_one_wherever_it_is_cut(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, pa.array([f"text {number}" for number in range(2000)]))
    data = (tmp_path / name).read_bytes()
    for size in range(0, len(data) - 8, len(data) // 40):
        (tmp_path / name).write_bytes(data[:size])
        with pytest.raises(DataError, match="damaged, cut short, or something else"):
            list(read_column(tmp_path / name, "text", name.rpartition(".")[2]))


def test_bytes_that_are_no_text_are_dropped_by_row(codex: Codex, tmp_path: Path) -> None:
    broken = pa.StringArray.from_buffers(
        3, pa.array([0, 3, 5, 8], pa.int32()).buffers()[1], pa.py_buffer(b"one\xe9\xe9two")
    )
    write(tmp_path / "a.parquet", broken)
    done = codex("data", "ingest", "a.parquet", "--corpus", "parquet", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    records = json.loads(done.stdout)["stages"]["records"]
    assert records["skipped"] == [{"path": "a.parquet#1", "reason": "not utf-8: byte 0xe9 at 0", "bytes": 0}]
    assert records["counts"]["records"] == 2


def test_rows_are_documents_whatever_the_size_of_the_file(codex: Codex, tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", pa.array(TEXTS))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more")
    write(tmp_path / "stream.arrow", pa.array(["aus Arrow"]), "body")
    done = codex("data", "ingest", ".", "data.maximum_file_bytes=100", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["dropped"] == {"duplicate": 2697, "no text": 901, "empty": 900, "no parquet": 1}
    records = list(read_records(tmp_path / "out" / "records" / "records.ndjson"))
    assert {(record.text, record.meta["row"]) for record in records if record.meta} == {
        ("one", 0),
        ("two\nlines", 1),
        ("vier", 4),
    }
