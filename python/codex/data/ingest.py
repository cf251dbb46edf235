"""Raw files to records: read, decode, filter, drop duplicates, write in the order of the ids.

Files are read in units, some at a time (`codex.data.units`); their sorted records are then merged. Memory holds a run of records
for each worker and a line of the listing for each file, whatever the corpus weighs. A file that changes meanwhile is an error,
not a mixture.

Each document ends as a record or among what was dropped, by reason; `duplicate of` names the file that holds the same text.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from codex import _core
from codex.data.filters import Filters
from codex.data.formats import Reading
from codex.data.listing import Files, Listing, Skipped, changed
from codex.data.progress import Progress
from codex.data.units import Unit, cut_units, evict_units, kind_of, make_unit, reason_of
from codex.errors import DataError
from codex.file import PartialFile, PartialFolder, create_folder, sweep_partial

__all__ = ["Raw", "Rules", "ingest", "ingest_shard", "make_units", "read_digests"]

#: Workers that hold a run each.
_WORKERS = 4
#: Files whose lines are written at once.
_LINES = 4096
#: Files that are merged at once.
_MERGED = 256
_LISTED = 1000
_KEPT_BYTES = 16 << 30
_KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Raw:
    """The files of a corpus with their digests: all that the records depend on besides the parameters."""

    files: Files
    units: list[Unit]
    skipped: list[Skipped]

    def lines(self) -> Iterator[bytes]:
        """`files.ndjson`: bytes, digest and path of every file, in the order of their names."""
        for start in range(0, len(self.files), _LINES):
            yield self.files.raw.lines(start, start + _LINES)

    def parents(self) -> list[dict[str, Any]]:
        """The raw files as a manifest names them: one digest over `files.ndjson`."""
        digest = sha256()
        for lines in self.lines():
            digest.update(lines)
        return [{"kind": "files", "digest": f"sha256:{digest.hexdigest()}"}]


@dataclass(frozen=True, slots=True)
class Rules:
    """How files become records."""

    reading: Reading
    filters: Filters
    drop_above: float | None
    """Similarity from which on near duplicates are dropped; None keeps them."""
    parameters: dict[str, Any]
    """What of it the records of a unit depend on."""


def read_digests(listing: Listing, units: list[Unit], progress: Progress) -> Raw:
    """The SHA-256 of every file of `units` as it lies on the disk, compressed or not; what cannot be read is skipped.

    Raises:
        ChangedError: if a file is longer or shorter than it was listed.
    """
    files = listing.files
    skipped = list(listing.skipped)
    done, total = 0, sum(unit.stop - unit.start for unit in units)
    with ThreadPoolExecutor(_workers()) as pool:
        answers = pool.map(lambda unit: files.raw.digest(unit.start, unit.stop), units)
        for unit, answer in zip(units, answers, strict=True):
            progress.step("digests", done, total)
            done += unit.stop - unit.start
            for number, said in answer:
                found = files[number]
                if said is None:
                    raise changed(found)
                skipped.append(Skipped(found.name, reason_of(said), found.bytes))
                files.raw.leave_out(number)
    progress.step("digests", total, total)
    return Raw(files, units, sorted(skipped, key=lambda entry: entry.path))


def make_units(
    units: list[Unit], folder: Path, rules: Rules, progress: Progress
) -> list[tuple[list[Path], dict[str, Any]]]:
    """The sorted files of every unit, and what is to be said of each; those that are there are used again."""
    create_folder(folder)
    sweep_partial(folder)

    def make(unit: Unit) -> tuple[list[Path], dict[str, Any]]:
        return make_unit(unit, folder, rules.parameters, rules.reading, rules.filters)

    made: list[tuple[list[Path], dict[str, Any]]] = []
    done, total = 0, sum(unit.stop - unit.start for unit in units)
    with ThreadPoolExecutor(_workers()) as pool:
        try:
            for unit, answer in zip(units, pool.map(make, units), strict=True):
                progress.step("read", done, total)
                made.append(answer)
                done += unit.stop - unit.start
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    progress.step("read", total, total)
    return made


def ingest(
    folder: PartialFolder, raw: Raw, units: Path, rules: Rules, *, progress: Progress
) -> dict[str, Any]:
    """Write `records.ndjson`, and `files.ndjson` with the raw files they are from, into `folder`.

    Args:
        folder: where to; committed by the caller.
        raw: the files, from `read_digests`.
        units: folder that units are kept in.
        rules: how files become records.
        progress: told of every file.

    Returns:
        `counts`, `skipped` and `dropped` of the manifest.

    Raises:
        DataError: if no text is left, or a file changes while it is read.
    """
    made = make_units(raw.units, units, rules, progress)
    skipped, dropped, summed = _summed(raw, made)
    counts = dict(zip(("files", "file_bytes"), raw.files.totals, strict=True)) | summed
    if not counts["records"]:
        raise DataError(_nothing_left(skipped), hint="check `data.paths`, `data.include` and `data.exclude`")

    files = folder.open("files.ndjson", digest="sha256")
    for part in raw.lines():
        files.write(part)
    files.finish()
    duplicates = _Duplicates(skipped, dropped, counts, raw.files)
    scratch = folder.path / "scratch"
    create_folder(scratch)
    progress.step("records", 0, counts["records"])
    sorted_files = [path for paths, _ in made for path in paths]
    file = folder.open("records.ndjson", digest="sha256")
    if rules.drop_above is None:
        _write_without_twins(sorted_files, scratch, file, duplicates)
    else:
        unlike = folder.open("scratch/all.ndjson")
        _write_without_twins(sorted_files, scratch, unlike, duplicates)
        unlike.finish()
        _write_first_of_alike(scratch / "all.ndjson", scratch, file, rules.drop_above, duplicates)
    file.finish()
    shutil.rmtree(scratch)
    progress.step("records", counts["records"], counts["records"])
    evict_units(units, maximum_bytes=_KEPT_BYTES, maximum_days=_KEPT_DAYS)
    skipped.sort(key=lambda entry: (entry.path, entry.reason))
    counts["skipped"] = sum(dropped.values())
    return {
        "counts": counts,
        "dropped": dict(sorted(dropped.items())),
        "skipped": [{"path": s.path, "reason": s.reason, "bytes": s.bytes} for s in skipped],
    }


def ingest_shard(
    listing: Listing, units: Path, rules: Rules, number: int, count: int, *, progress: Progress
) -> dict[str, Any]:
    """Make every `count`-th unit of a corpus, from the one of `number` on, which counts from 1; `ingest` then finds them.

    Each unit is of one shard alone, whatever machines make them and in which order, as long as all list the same files.

    Returns:
        `counts` and `dropped` of the shard, before texts are compared with those of other units.
    """
    share = cut_units(listing.files)[number - 1 :: count]
    raw = read_digests(Listing(listing.files), share, progress)
    sizes = [listing.files[place].bytes for unit in share for place in range(unit.start, unit.stop)]
    counts = {"files": len(sizes) - len(raw.skipped), "file_bytes": sum(sizes)}
    counts["file_bytes"] -= sum(entry.bytes for entry in raw.skipped)
    _, dropped, summed = _summed(raw, make_units(share, units, rules, progress))
    return {"counts": counts | summed, "dropped": dict(sorted(dropped.items()))}


def _summed(
    raw: Raw, made: list[tuple[list[Path], dict[str, Any]]]
) -> tuple[list[Skipped], Counter[str], dict[str, int]]:
    """What units came to: skipped, dropped by reason, and counts of what was written."""
    skipped = [*raw.skipped, *(Skipped(**entry) for _, said in made for entry in said["skipped"])]
    dropped = Counter(kind_of(entry.reason) for entry in raw.skipped)
    for _, said in made:
        dropped.update(said["dropped"])
    records = sum(said["counts"]["documents"] for _, said in made)
    text_bytes = sum(said["counts"]["text_bytes"] for _, said in made)
    counts = {"records": records, "text_bytes": text_bytes, "skipped": sum(dropped.values())}
    return skipped, dropped, counts


@dataclass(slots=True)
class _Duplicates:
    """Keeps account of what was written once and is dropped again."""

    skipped: list[Skipped]
    dropped: Counter[str]
    counts: dict[str, int]
    files: Files

    def drop(self, path: str, meta: dict[str, Any] | None, text_bytes: int, reason: str) -> None:
        kind = kind_of(reason)
        self.dropped[kind] += 1
        self.counts["records"] -= 1
        self.counts["text_bytes"] -= text_bytes
        if meta is None:
            self.skipped.append(Skipped(path, reason, self.files.bytes_of(path)))
        elif self.dropped[kind] <= _LISTED:
            self.skipped.append(Skipped(f"{path}#{meta['row']}", reason, 0))


def _write_without_twins(
    paths: list[Path], scratch: Path, file: PartialFile, duplicates: _Duplicates
) -> None:
    """Write the lines of sorted files in order, of equal ids that of the first file alone."""
    merge = _core.RecordMerge(paths, scratch, _MERGED)
    while (twins := merge.write_block(file)) is not None:
        for path, meta, text_bytes, first in twins:
            duplicates.drop(path, json.loads(meta or "null"), text_bytes, f"duplicate of {first}")


def _write_first_of_alike(
    lines: Path, scratch: Path, file: PartialFile, threshold: float, duplicates: _Duplicates
) -> None:
    def write(side: int, block: bytes) -> None:
        if side == 0:
            file.write(block)
            return
        for line in block.splitlines(keepends=True):
            record = json.loads(line)
            path, text_bytes = record["source"]["path"], len(record["text"].encode())
            reason = f"near duplicate: at least {threshold} of it in a text with a smaller id"
            duplicates.drop(path, record.get("meta"), text_bytes, reason)

    _core.RecordSplit.of_firsts(lines, threshold, scratch).divide(write)


def _workers() -> int:
    return min(_WORKERS, os.cpu_count() or 1)


def _nothing_left(skipped: list[Skipped]) -> str:
    if not skipped:
        return "the corpus is empty: no file belongs to it"
    first = min(skipped, key=lambda entry: entry.path)
    named = f"the first being `{first.path}` ({first.reason})"
    return f"the corpus holds no text: all of it was left out, {named}"
