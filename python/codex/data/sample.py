"""Some documents of prepared data, drawn by a seed, and where each came from; and some of what was left out."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codex._core import LineIndex
from codex.data.contents import describe, stage_folders
from codex.data.split import sides_of
from codex.data.store import SCHEMA_VERSION
from codex.errors import CodexError, DamageError, MissingDataError
from codex.file import read_manifest
from codex.records import index

__all__ = ["Sample", "sample_of"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn."""

    folder: Path
    """Of the records."""
    counts: Mapping[str, int]
    """Of their manifest."""
    documents: list[dict[str, Any]]
    """Records, each with its `split`, or None where no splits of these records are there; in the order of their ids."""
    dropped: Mapping[str, int]
    """How many were left out, by kind of reason."""
    skipped: list[dict[str, Any]]
    """Some of those, in the order of their names: path, reason, bytes."""


def sample_of(where: Path, *, count: int, seed: int, split: str | None = None) -> Sample:
    """Draw documents from the newest records of a cache, or from those of a folder.

    The same seed draws the same ones from the same records. Costs a pass over the file that is drawn from.

    Args:
        where: a cache, an `--out` folder, or the folder of one stage of records.
        count: of documents, and of what was left out; all if there are fewer.
        seed: another seed, others.
        split: draw from this side alone.

    Raises:
        MissingDataError: if there are no records, or no such split of them.
        DamageError: if a manifest or a drawn record is not as it was written.
    """
    folder = _newest_records(where)
    manifest = read_manifest(folder, kind="records", schema_version=SCHEMA_VERSION)
    sides = _sides(where, folder, manifest["digest"])
    if split is not None and split not in sides:
        raise MissingDataError(
            f"no split `{split}` of the records in `{folder}`",
            hint=f"there is {', '.join(sides)}" if sides else "`codex data split` makes splits",
        )
    path = folder / "records.ndjson" if split is None else sides[split]
    lines = index(path)
    drawn = sorted(random.Random(seed).sample(range(len(lines)), min(count, len(lines))))
    documents = [_record(path, lines, number) for number in drawn]
    if split is None:
        indexed = {side: index(side_path) for side, side_path in sides.items()}
        for document in documents:
            held = (side for side, of_side in indexed.items() if _holds(of_side, document["id"]))
            document["split"] = next(held, None)
    else:
        documents = [{**document, "split": split} for document in documents]
    skipped = manifest["skipped"]
    some = sorted(random.Random(seed).sample(range(len(skipped)), min(count, len(skipped))))
    return Sample(
        folder, manifest["counts"], documents, manifest["dropped"], [skipped[number] for number in some]
    )


def _newest_records(where: Path) -> Path:
    found = [folder for stage, folder in stage_folders(where) if stage == "records"]
    if not found:
        raise MissingDataError(
            f"no records in `{where}`",
            hint="`codex data ingest` makes them; `codex data list` shows what there is",
        )
    return max(found, key=lambda folder: (describe("records", folder)["made"] or "", folder.name))


def _sides(where: Path, records: Path, digest: str) -> dict[str, Path]:
    """The files of the newest splits that were made of these records, by side."""
    near = [*stage_folders(where), *stage_folders(records.parent)]
    made = []
    for stage, folder in near:
        if stage != "splits":
            continue
        try:
            manifest = read_manifest(folder, kind="splits", schema_version=SCHEMA_VERSION)
        except CodexError:
            continue  # `codex data verify` names it
        if [parent["digest"] for parent in manifest["parents"]] == [digest]:
            made.append((describe(stage, folder)["made"] or "", folder))
    if not made:
        return {}
    newest = max(made)[1]
    return {side: newest / f"{side}.ndjson" for side in sides_of(newest)}


def _record(path: Path, lines: LineIndex, number: int) -> dict[str, Any]:
    record = lines[number]
    if not {"id", "text", "source"} <= record.keys():
        raise DamageError(f"`{path}`: line {number + 1} is no record")
    return record


def _holds(lines: LineIndex, identity: str) -> bool:
    """Whether a file in the order of the ids has this one."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        if lines[middle]["id"] < identity:
            low = middle + 1
        else:
            high = middle
    return low < len(lines) and bool(lines[low]["id"] == identity)
