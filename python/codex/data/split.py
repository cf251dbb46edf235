"""Records to splits: each record falls on one side by its id alone.

The side is `codex.records.is_held_out`, a function of id and fraction and nothing else: adding, removing or reordering records
moves no other record, and a larger fraction only moves records towards `held_out`. Exact duplicates share an id, so no text
stands on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codex.data.progress import Progress
from codex.errors import DataError
from codex.file import PartialFolder
from codex.records import Record, is_held_out, read_records, write_records

__all__ = ["SPLITS", "split"]

#: The two sides, in the order in which they are written.
SPLITS = ("train", "held_out")


def split(
    folder: PartialFolder, records: Path, *, held_out_fraction: float, progress: Progress
) -> dict[str, Any]:
    """Write `train.ndjson` and `held_out.ndjson` into `folder`, both in id order.

    Returns:
        `counts` of the manifest.

    Raises:
        DataError: if one side would be empty.
    """
    counts = {f"{side}_{what}": 0 for side in SPLITS for what in ("records", "text_bytes")}
    for done, side in enumerate(SPLITS):
        progress.step("split", done, len(SPLITS))
        file = folder.open(f"{side}.ndjson")
        write_records(file, _chosen(records, side, held_out_fraction, counts))
        file.finish()
    progress.step("split", len(SPLITS), len(SPLITS))
    for side in SPLITS:
        if not counts[f"{side}_records"]:
            total = sum(counts[f"{side}_records"] for side in SPLITS)
            raise DataError(
                f"none of the {total} records falls into split `{side}`"
                f" with `data.held_out_fraction` {held_out_fraction}",
                hint="a corpus needs several documents; add some, or change the fraction",
            )
    return {"counts": counts, "skipped": []}


def _chosen(records: Path, side: str, fraction: float, counts: dict[str, int]) -> Iterator[Record]:
    for record in read_records(records, verify=False):
        if is_held_out(record.id, fraction) == (side == "held_out"):
            counts[f"{side}_records"] += 1
            counts[f"{side}_text_bytes"] += len(record.text.encode())
            yield record
