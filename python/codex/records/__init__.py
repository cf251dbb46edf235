"""Records and lines of NDJSON: the typed door to `codex-records`.

`record` reads and writes the records of this project, one text a line with its identity and where it came from; `lines` reads
anyone's NDJSON, texts, dictionaries or columns, every line checked; `Writer` appends to a file of it;
`NearDuplicates` finds texts that are nearly the same. See `docs/records.md`.
"""

from __future__ import annotations

from codex._core import NearDuplicates, Writer
from codex.records.lines import (
    Batches,
    Lines,
    RecordBatch,
    count,
    index,
    iter_batches,
    iter_records,
    iter_texts,
)
from codex.records.record import (
    BadLine,
    Record,
    Source,
    count_records,
    encode_records,
    is_held_out,
    read_records,
    record_id,
    write_records,
)

__all__ = [
    "BadLine",
    "Batches",
    "Lines",
    "NearDuplicates",
    "Record",
    "RecordBatch",
    "Source",
    "Writer",
    "count",
    "count_records",
    "encode_records",
    "index",
    "is_held_out",
    "iter_batches",
    "iter_records",
    "iter_texts",
    "read_records",
    "record_id",
    "write_records",
]
