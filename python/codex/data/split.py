"""Records to splits: train to learn from, validation to measure on meanwhile, test to measure on once.

A record is held out by its id alone (`codex.records.is_held_out`): test at the fraction of test, validation what else is at both
together. Near duplicates go together, to the strictest side that one of them has, so none crosses. Adding files moves no other
record, but a near duplicate of what is added, and that only from train to validation or test: what was held out once is never
learned from.

Memory holds a few bytes a record; signatures and their keys go through files beside the splits.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from codex import _core
from codex.data.progress import Progress
from codex.errors import DataError
from codex.file import PartialFolder, create_folder
from codex.records import is_held_out

__all__ = ["SPLITS", "planned_split", "side_by_id", "sides_of", "split"]

#: The sides, each held out more strictly than the one before.
SPLITS = ("train", "validation", "test")


def split(
    folder: PartialFolder, records: Path, *, parameters: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Write `train.ndjson`, `validation.ndjson` and, with a `test_fraction`, `test.ndjson` into `folder`, in id order.

    Returns:
        `counts` and `overlap` of the manifest.

    Raises:
        DataError: if a side would be empty.
    """
    sides = SPLITS if parameters["test_fraction"] else SPLITS[:2]
    progress.step("split", 0, 3)
    plan = planned_split(records, parameters, folder.path / "near")
    progress.step("split", 1, 3)
    files = [folder.open(f"{side}.ndjson") for side in sides]
    found = plan.divide(lambda side, lines: files[side].write(lines))
    for file in files:
        file.finish()
    progress.step("split", 2, 3)
    counts: dict[str, int] = {}
    for side, (number, size) in zip(sides, found, strict=False):
        if not number:
            raise _empty(side, sum(number for number, _ in found), parameters)
        counts |= {f"{side}_records": number, f"{side}_text_bytes": size}
    counts |= dict(zip(("near_duplicate_groups", "near_duplicates"), plan.groups, strict=True))
    overlap = {side: _overlap(folder.path, side, progress) for side in sides[1:]}
    progress.step("split", 3, 3)
    return {"counts": counts, "overlap": overlap, "skipped": []}


def sides_of(folder: Path) -> list[str]:
    """The splits that a folder of splits or of shards holds."""
    names = {path.name for path in folder.iterdir()}
    return [side for side in SPLITS if {f"{side}.ndjson", f"{side}-00000.safetensors"} & names]


def planned_split(records: Path, parameters: dict[str, Any], scratch: Path) -> _core.RecordSplit:
    """What goes where, as `parameters` of a manifest of splits say; `scratch` is a folder made for it and removed."""
    create_folder(scratch)
    try:
        return _core.RecordSplit(
            records,
            parameters["validation_fraction"],
            parameters["test_fraction"],
            parameters["near_duplicate_threshold"],
            scratch,
        )
    finally:
        shutil.rmtree(scratch)


def side_by_id(identity: str, parameters: dict[str, Any]) -> str:
    """The side that a record has if it is no near duplicate of any; if it is of some, its side is this or a stricter one.

    >>> from codex.records import record_id
    >>> parameters = {"validation_fraction": 0.3, "test_fraction": 0.2}
    >>> [side_by_id(record_id(text), parameters) for text in ("one", "two", "three", "four")]
    ['train', 'train', 'test', 'train']
    """
    test = parameters["test_fraction"]
    if is_held_out(identity, test):
        return "test"
    return "validation" if is_held_out(identity, parameters["validation_fraction"] + test) else "train"


def _overlap(folder: Path, side: str, progress: Progress) -> dict[str, int]:
    """How much of a side stands in train, and says so."""
    looked_at, shared = _core.records_overlap(folder / f"{side}.ndjson", folder / "train.ndjson")
    share = shared / looked_at if looked_at else 0
    progress.say(
        f"overlap: {share:.2%} of the runs of 13 words in {side} stand in train, too ({shared:,} of {looked_at:,} looked at);"
        " no record and no near duplicate does"
    )
    return {"runs": looked_at, "shared_with_train": shared}


def _empty(side: str, total: int, parameters: dict[str, Any]) -> DataError:
    fractions = ", ".join(
        f"`data.{name}` {parameters[name]}" for name in ("validation_fraction", "test_fraction")
    )
    return DataError(
        f"none of the {total} records falls into split `{side}` with {fractions}",
        hint="a corpus needs several documents that are not alike; add some, or change the fractions",
    )
