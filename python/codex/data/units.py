"""Raw files to sorted records, a unit at a time: each is kept by what it was made from, so that a changed byte costs one unit.

A unit is some files in the order of their names; it ends behind a file whose name says so, so that a file that comes or goes
changes one unit and not all that follow. Its records go into files sorted by id, 16 MiB at most at a time in memory; beside them
stands what was dropped. What is there and as it was written is used again, after a kill as after a change.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from codex.data.filters import Filters
from codex.data.formats import Document, Dropped, Reading, documents_of
from codex.data.listing import Found, Skipped, changed
from codex.errors import ChangedError, CodexError, DamageError, DataError, MachineError
from codex.file import canonical_json, digest_bytes, digest_file, read_manifest, seal_manifest, write_atomic
from codex.records import Record, Source, encode_records, record_id

__all__ = ["ID_END", "Unit", "cut_units", "evict_units", "kind_of", "make_unit", "reason_of"]

#: A line of a record begins with its id: `{"id":"`, 32 digits.
ID_END = 39
_UNIT_BYTES = 32 << 20
_UNIT_FILES = 4096
_RUN_BYTES = 16 << 20
_LISTED = 1000
_SCHEMA_VERSION = 1
_KIND = re.compile(r"(.+?)(?=: | of | after | \(|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unit:
    """Some files in the order of their names."""

    files: list[tuple[Found, str]]

    def key(self, parameters: dict[str, Any]) -> str:
        """32 hex digits over all that its records depend on."""
        made_from = {
            "files": [[found.name, digest] for found, digest in self.files],
            "parameters": parameters,
        }
        return digest_bytes(canonical_json(made_from), "sha256").removeprefix("sha256:")[:32]


@dataclass(slots=True)
class _Made:
    """What became of the documents of a unit so far."""

    skipped: list[Skipped] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"documents": 0, "text_bytes": 0})

    def drop(self, found: Found, reason: str, row: int | None = None) -> None:
        kind = kind_of(reason)
        self.dropped[kind] = self.dropped.get(kind, 0) + 1
        if row is None:
            self.skipped.append(Skipped(found.name, reason, found.bytes))
        elif self.dropped[kind] <= _LISTED:
            self.skipped.append(Skipped(f"{found.name}#{row}", reason, 0))


def cut_units(files: list[tuple[Found, str]]) -> list[Unit]:
    """The files in units of about 32 MiB."""
    units: list[Unit] = []
    current: list[tuple[Found, str]] = []
    size = 0
    for found, digest in files:
        current.append((found, digest))
        size += found.bytes
        ends = crc32(found.name.encode()) % 512 == 0
        if ends or size >= _UNIT_BYTES or len(current) >= _UNIT_FILES:
            units.append(Unit(current))
            current, size = [], 0
    return [*units, Unit(current)] if current else units


def make_unit(
    unit: Unit, folder: Path, parameters: dict[str, Any], reading: Reading, filters: Filters
) -> tuple[list[Path], dict[str, Any]]:
    """The sorted files of a unit and what is to be said of it, made now if they are not there as they were written.

    Raises:
        DataError: if a file changed since it was listed.
        MachineError: if they cannot be written.
    """
    key = unit.key(parameters)
    note = folder / f"{key}.json"
    if (kept := _kept(note)) is not None:
        os.utime(note)
        return [folder / entry["path"] for entry in kept["files"]], kept
    made = _Made()
    files: list[dict[str, Any]] = []
    paths: list[Path] = []
    for run in _runs(_lines(unit, reading, filters, made)):
        path = folder / f"{key}-{len(paths):04}.ndjson"
        data = b"".join(run)
        write_atomic(path, data)
        files.append({"path": path.name, "bytes": len(data), "digest": digest_bytes(data, "xxh3-128")})
        paths.append(path)
    said = {
        "kind": "unit",
        "schema_version": _SCHEMA_VERSION,
        "files": files,
        "skipped": [{"path": s.path, "reason": s.reason, "bytes": s.bytes} for s in made.skipped],
        "dropped": made.dropped,
        "counts": made.counts,
    }
    write_atomic(note, seal_manifest(said))
    return paths, said


def evict_units(folder: Path, *, maximum_bytes: int, maximum_days: float) -> int:
    """Remove units that were not used for so long, and the longest unused beyond so many bytes; how many went."""
    now, kept_bytes, gone = time.time(), 0, 0
    notes = sorted(folder.glob("*.json"), key=lambda note: (-note.stat().st_mtime_ns, note.name))
    for note in notes:
        files = sorted(folder.glob(f"{note.stem}-*.ndjson"))
        kept_bytes += sum(path.stat().st_size for path in files)
        if kept_bytes > maximum_bytes or now - note.stat().st_mtime > maximum_days * 86_400:
            note.unlink()  # first, so that no note speaks of files that are gone
            for path in files:
                path.unlink()
            gone += 1
    return gone


def _kept(note: Path) -> dict[str, Any] | None:
    try:
        said = read_manifest(note, kind="unit", schema_version=_SCHEMA_VERSION)
        for entry in said["files"]:
            if digest_file(note.parent / entry["path"], "xxh3-128").digest != entry["digest"]:
                return None
    except (DataError, DamageError, MachineError):
        return None
    return said


def _runs(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines in sorted lists of 16 MiB and more; of equal ids the first stays first."""
    run: list[bytes] = []
    size = 0
    for line in lines:
        run.append(line)
        size += len(line)
        if size >= _RUN_BYTES:
            run.sort(key=_id_of)
            yield run
            run, size = [], 0
    if run:
        run.sort(key=_id_of)
        yield run


def _id_of(line: bytes) -> bytes:
    return line[:ID_END]


def _lines(unit: Unit, reading: Reading, filters: Filters, made: _Made) -> Iterator[bytes]:
    for found, digest in unit.files:
        try:
            for document in documents_of(found, digest, reading):
                if isinstance(document, Dropped):
                    made.drop(found, document.reason, document.row)
                elif (reason := filters.reason(document.text)) is not None:
                    made.drop(found, reason, document.row)
                else:
                    made.counts["documents"] += 1
                    made.counts["text_bytes"] += len(document.text.encode())
                    yield _line(found, document)
        except ChangedError:
            raise
        except (DataError, MachineError) as error:
            made.drop(found, reason_of(error))
        if not found.is_unchanged():
            raise changed(found)


def _line(found: Found, document: Document) -> bytes:
    source = Source(found.name, encoding=document.encoding, errors=document.errors)
    meta = None if document.row is None else {"row": document.row}
    return encode_records([Record(record_id(document.text), document.text, source, meta)])


def kind_of(reason: str) -> str:
    """A reason up to what is of one file alone: a name, a place, a number.

    >>> [kind_of(reason) for reason in ("duplicate of a: b", "not text: NUL byte at 4", "empty")]
    ['duplicate', 'not text', 'empty']
    """
    found = _KIND.match(reason)
    return found[1] if found else reason


def reason_of(error: CodexError) -> str:
    """What was said of a file, without its path on this machine: a manifest must not hold one."""
    before, quote, rest = error.message.partition("`")
    after = rest.rpartition("`")[2] if quote else ""
    return f"{before.rstrip()}{after}".lstrip(": ")
