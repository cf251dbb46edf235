"""Raw files to records: read, decode, filter, drop duplicates, write in the order of the ids.

Files are read in units, some at a time (`codex.data.units`); their sorted records are then merged. Memory holds a run of records
for each worker and a line of the listing for each file, whatever the corpus weighs. A file that changes meanwhile is an error,
not a mixture.

Each document ends as a record or among what was dropped, by reason; `duplicate of` names the file that holds the same text.
"""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codex import _core
from codex.data.filters import Filters
from codex.data.formats import Reading
from codex.data.listing import Found, Listing, Skipped
from codex.data.progress import Progress
from codex.data.units import ID_END, Unit, cut_units, evict_units, kind_of, make_unit, reason_of
from codex.errors import DataError, MachineError
from codex.file import PartialFile, PartialFolder, create_folder, digest_file, sweep_partial

__all__ = ["Raw", "Rules", "ingest", "make_units", "read_digests"]

#: Workers that hold a run each.
_WORKERS = 4
#: Files that are merged at once.
_MERGED = 128
_LISTED = 1000
_KEPT_BYTES = 16 << 30
_KEPT_DAYS = 30


@dataclass(frozen=True, slots=True)
class Raw:
    """The files of a corpus with their digests: all that the records depend on besides the parameters."""

    files: list[tuple[Found, str]]
    skipped: list[Skipped]

    def parents(self) -> list[dict[str, Any]]:
        """The raw files as a manifest lists them."""
        return [{"path": found.name, "bytes": found.bytes, "digest": digest} for found, digest in self.files]


@dataclass(frozen=True, slots=True)
class Rules:
    """How files become records."""

    reading: Reading
    filters: Filters
    drop_above: float | None
    """Similarity from which on near duplicates are dropped; None keeps them."""
    parameters: dict[str, Any]
    """What of it the records of a unit depend on."""


def read_digests(listing: Listing, progress: Progress) -> Raw:
    """The SHA-256 of every file as it lies on the disk, compressed or not; what cannot be read is skipped."""
    files: list[tuple[Found, str]] = []
    skipped = list(listing.skipped)

    def digest(found: Found) -> str | Skipped:
        try:
            return digest_file(found.path).digest
        except (DataError, MachineError) as error:
            return Skipped(found.name, reason_of(error), found.bytes)

    with ThreadPoolExecutor(_workers()) as pool:
        for done, (found, answer) in enumerate(
            zip(listing.files, pool.map(digest, listing.files), strict=True)
        ):
            progress.step("digests", done, len(listing.files))
            if isinstance(answer, str):
                files.append((found, answer))
            else:
                skipped.append(answer)
    progress.step("digests", len(listing.files), len(listing.files))
    return Raw(files, sorted(skipped, key=lambda entry: entry.path))


def make_units(
    units: list[Unit], folder: Path, rules: Rules, progress: Progress
) -> list[tuple[list[Path], dict[str, Any]]]:
    """The sorted files of every unit, and what is to be said of each; those that are there are used again."""
    create_folder(folder)
    sweep_partial(folder)

    def make(unit: Unit) -> tuple[list[Path], dict[str, Any]]:
        return make_unit(unit, folder, rules.parameters, rules.reading, rules.filters)

    made: list[tuple[list[Path], dict[str, Any]]] = []
    done, total = 0, sum(len(unit.files) for unit in units)
    with ThreadPoolExecutor(_workers()) as pool:
        try:
            for unit, answer in zip(units, pool.map(make, units), strict=True):
                progress.step("read", done, total)
                made.append(answer)
                done += len(unit.files)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    progress.step("read", total, total)
    return made


def ingest(
    folder: PartialFolder, raw: Raw, units: Path, rules: Rules, *, progress: Progress
) -> dict[str, Any]:
    """Write `records.ndjson` into `folder`.

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
    made = make_units(cut_units(raw.files), units, rules, progress)
    skipped = [*raw.skipped, *(Skipped(**entry) for _, said in made for entry in said["skipped"])]
    dropped = Counter(kind_of(entry.reason) for entry in raw.skipped)
    counts = {"files": len(raw.files), "file_bytes": sum(found.bytes for found, _ in raw.files)}
    counts |= {"records": 0, "text_bytes": 0, "skipped": 0}
    for _, said in made:
        dropped.update(said["dropped"])
        counts["records"] += said["counts"]["documents"]
        counts["text_bytes"] += said["counts"]["text_bytes"]
    if not counts["records"]:
        raise DataError(_nothing_left(skipped), hint="check `data.paths`, `data.include` and `data.exclude`")

    duplicates = _Duplicates(skipped, dropped, counts, {found.name: found.bytes for found, _ in raw.files})
    scratch = folder.path / "scratch"
    create_folder(scratch)
    progress.step("records", 0, counts["records"])
    lines = _without_twins(_merged([path for paths, _ in made for path in paths], scratch), duplicates)
    file = folder.open("records.ndjson")
    if rules.drop_above is None:
        _write(lines, file)
    else:
        _write_first_of_alike(lines, file, scratch, rules.drop_above, duplicates)
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


@dataclass(slots=True)
class _Duplicates:
    """Keeps account of what was written once and is dropped again."""

    skipped: list[Skipped]
    dropped: Counter[str]
    counts: dict[str, int]
    sizes: dict[str, int]

    def drop(self, line: bytes, reason: str) -> None:
        record = json.loads(line)
        kind = kind_of(reason)
        self.dropped[kind] += 1
        self.counts["records"] -= 1
        self.counts["text_bytes"] -= len(record["text"].encode())
        path = record["source"]["path"]
        if "meta" not in record:
            self.skipped.append(Skipped(path, reason, self.sizes[path]))
        elif self.dropped[kind] <= _LISTED:
            self.skipped.append(Skipped(f"{path}#{record['meta']['row']}", reason, 0))


def _merged(paths: list[Path], scratch: Path) -> Iterator[bytes]:
    """The lines of sorted files in order; of equal ids the one of the first file comes first."""
    number = 0
    while len(paths) > _MERGED:
        together = []
        for start in range(0, len(paths), _MERGED):
            path = scratch / f"merged-{number}"
            number += 1
            with path.open("wb") as file:
                file.writelines(_merged(paths[start : start + _MERGED], scratch))
            together.append(path)
        paths = together
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in paths]
        yield from heapq.merge(*files, key=lambda line: line[:ID_END])


def _without_twins(lines: Iterable[bytes], duplicates: _Duplicates) -> Iterator[bytes]:
    before = b""
    for line in lines:
        if line[:ID_END] == before[:ID_END]:
            duplicates.drop(line, f"duplicate of {json.loads(before)['source']['path']}")
        else:
            yield line
            before = line


def _write(lines: Iterable[bytes], file: PartialFile) -> None:
    block, size = list[bytes](), 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= 1 << 20:
            file.write(b"".join(block))
            block, size = [], 0
    file.write(b"".join(block))


def _write_first_of_alike(
    lines: Iterable[bytes], file: PartialFile, scratch: Path, threshold: float, duplicates: _Duplicates
) -> None:
    all_lines = scratch / "all.ndjson"
    with all_lines.open("wb") as whole:
        whole.writelines(lines)

    def write(side: int, block: bytes) -> None:
        if side == 0:
            file.write(block)
        else:
            for line in block.splitlines(keepends=True):
                duplicates.drop(
                    line, f"near duplicate: at least {threshold} of it in a text with a smaller id"
                )

    _core.RecordSplit.of_firsts(all_lines, threshold, scratch).divide(write)


def _workers() -> int:
    return min(_WORKERS, os.cpu_count() or 1)


def _nothing_left(skipped: list[Skipped]) -> str:
    if not skipped:
        return "the corpus is empty: no file belongs to it"
    first = min(skipped, key=lambda entry: entry.path)
    named = f"the first being `{first.path}` ({first.reason})"
    return f"the corpus holds no text: all of it was left out, {named}"
