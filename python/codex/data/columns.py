"""One column of a table of Arrow or Parquet, a few thousand rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from codex.errors import DataError

__all__ = ["read_column"]

_BATCH_ROWS = 1024


def read_column(path: Path, key: str, kind: str) -> Iterator[str | UnicodeDecodeError | None]:
    """The texts of a column in order; None where a row has none, the error where its bytes are no UTF-8.

    Args:
        path: a file of Arrow (of either form) or Parquet.
        key: name of the column.
        kind: `arrow` or `parquet`.

    Raises:
        DataError: if there is no such column, it holds no text, or the file is damaged. The message does not depend on the
            version of Arrow, for a manifest keeps it.
    """
    try:
        yield from _texts(_parquet(path, key) if kind == "parquet" else _arrow(path, key))
    except (pa.ArrowException, OSError):
        raise DataError(f"no {kind}: damaged, cut short, or something else") from None


def _parquet(path: Path, key: str) -> Iterator[pa.Array]:
    with pq.ParquetFile(path) as table:
        _check(table.schema_arrow, key)
        for batch in table.iter_batches(_BATCH_ROWS, columns=[key], use_threads=False):
            yield batch.column(0)


def _arrow(path: Path, key: str) -> Iterator[pa.Array]:
    with pa.OSFile(str(path)) as file:
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        opened = ipc.open_file(file) if is_file else ipc.open_stream(file)
        place = _check(opened.schema, key)
        options = ipc.IpcReadOptions(included_fields=[place], use_threads=False)
        file.seek(0)
        if is_file:
            whole = ipc.open_file(file, options=options)
            batches = (whole.get_batch(number) for number in range(whole.num_record_batches))
        else:
            batches = iter(ipc.open_stream(file, options=options))
        for batch in batches:
            for start in range(0, len(batch), _BATCH_ROWS):
                yield batch.column(0).slice(start, _BATCH_ROWS)


def _check(schema: pa.Schema, key: str) -> int:
    """The place of the column, once it is known to hold texts."""
    places = schema.get_all_field_indices(key)
    if len(places) != 1:
        raise DataError(f"no text: {'no column' if not places else 'more than one column'} `{key}`")
    kind = schema.field(places[0]).type
    held = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(held) or pa.types.is_large_string(held) or pa.types.is_string_view(held)):
        raise DataError(f"no text: the column `{key}` is of {kind}")
    return int(places[0])


def _texts(columns: Iterator[pa.Array]) -> Iterator[str | UnicodeDecodeError | None]:
    for column in columns:
        try:
            yield from column.to_pylist()
        except UnicodeDecodeError:  # nothing of the batch was given yet
            yield from map(_text, column)


def _text(value: pa.Scalar) -> str | UnicodeDecodeError | None:
    try:
        text: str | None = value.as_py()
    except UnicodeDecodeError as error:
        return error
    return text
