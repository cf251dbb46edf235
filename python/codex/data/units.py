"""Raw files to sorted records, a unit at a time: each is kept by what it was made from, so that a changed byte costs one unit.

A unit is some files in the order of their names; it ends behind a file whose name says so, so that a file that comes or goes
changes one unit and not all that follow. Plain text is read, filtered and written in one call (`UnitWriter`, the interpreter
released); what it leaves aside goes through `codex.data.formats`, a document at a time. The records go into files sorted by id,
16 MiB at most at a time in memory; beside them stands what was dropped. What is there and as it was written is used again, after
a kill as after a change.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from codex import _core
from codex.data.evict import mark_used, overdue_notes
from codex.data.filters import Filters
from codex.data.formats import Document, Dropped, Reading, documents_of, plain_reading
from codex.data.listing import Files, changed
from codex.errors import ChangedError, DamageError, DataError, MachineError
from codex.file import canonical_json, digest_bytes, digest_file, read_manifest, seal_manifest, write_atomic

__all__ = ["Unit", "cut_units", "evict_units", "kind_of", "make_unit", "reason_of"]

_UNIT_BYTES = 32 << 20
_UNIT_FILES = 4096
_RUN_BYTES = 16 << 20
_SCHEMA_VERSION = 1
_KIND = re.compile(r"(.+?)(?=: | of | after | \(|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unit:
    """Some files in the order of their names, from one number up to another."""

    files: Files
    start: int
    stop: int

    def key(self, parameters: dict[str, Any]) -> str:
        """32 hex digits over all that its records depend on."""
        made_from = canonical_json(parameters) + b"\n" + self.files.raw.lines(self.start, self.stop)
        return digest_bytes(made_from, "sha256").removeprefix("sha256:")[:32]


def cut_units(files: Files) -> list[Unit]:
    """The files in units of about 32 MiB."""
    ends = files.raw.cut(_UNIT_BYTES, _UNIT_FILES)
    return [Unit(files, start, stop) for start, stop in pairwise([0, *ends])]


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
        mark_used(note)
        return [folder / entry["path"] for entry in kept["files"]], kept
    asked = filters.parameters()
    writer = _core.UnitWriter(unit.files.raw, folder, key, _RUN_BYTES, plain_reading(reading), asked)
    number = unit.start
    while (stopped := writer.read(number, unit.stop))[1] != "end":
        number, why = stopped
        if why == "changed":
            raise changed(unit.files[number])
        _add_documents(writer, unit.files, number, reading)
        number += 1
    files, skipped, dropped, documents, text_bytes = writer.finish()
    said = {
        "kind": "unit",
        "schema_version": _SCHEMA_VERSION,
        "files": [{"path": path, "bytes": size, "digest": digest} for path, size, digest in files],
        "skipped": [{"path": path, "reason": reason, "bytes": size} for path, reason, size in skipped],
        "dropped": dropped,
        "counts": {"documents": documents, "text_bytes": text_bytes},
    }
    write_atomic(
        note, seal_manifest(said), durable=False
    )  # as its files: all are held against digests before they are used
    return [folder / path for path, *_ in files], said


def _add_documents(writer: _core.UnitWriter, files: Files, number: int, reading: Reading) -> None:
    """Read one file here, and hand its documents over."""
    found = files[number]
    digest = json.loads(files.raw.lines(number, number + 1))["digest"]
    documents = documents_of(found, digest, reading)
    while True:
        try:
            document = next(documents, None)
        except ChangedError:
            raise
        except (DataError, MachineError) as error:
            writer.drop(number, reason_of(error.message), None)
            break
        if document is None:
            break
        _add(writer, number, document)
    if not found.is_unchanged():
        raise changed(found)


def _add(writer: _core.UnitWriter, number: int, document: Document | Dropped) -> None:
    if isinstance(document, Dropped):
        writer.drop(number, document.reason, document.row)
        return
    try:
        writer.add(number, document.text, document.encoding, document.errors, document.row)
    except DataError as error:  # what no line can hold; a disk that is full is another error
        writer.drop(number, reason_of(error.message), document.row)


def evict_units(folder: Path, *, maximum_bytes: int, maximum_days: float) -> int:
    """Remove units that were not used for so long, and the longest unused beyond so many bytes; how many went."""

    def files_of(note: Path) -> list[Path]:
        return sorted(folder.glob(f"{note.stem}-*.ndjson"))

    overdue = overdue_notes(
        folder.glob("*.json"),
        lambda note: sum(path.stat().st_size for path in files_of(note)),
        maximum_bytes=maximum_bytes,
        maximum_days=maximum_days,
    )
    for note in overdue:
        files = files_of(note)
        for path in (note, *files):
            path.unlink(missing_ok=True)
    return len(overdue)


def _kept(note: Path) -> dict[str, Any] | None:
    try:
        said = read_manifest(note, kind="unit", schema_version=_SCHEMA_VERSION)
        for entry in said["files"]:
            if digest_file(note.parent / entry["path"], "xxh3-128").digest != entry["digest"]:
                return None
    except (DataError, DamageError, MachineError):
        return None
    return said


def kind_of(reason: str) -> str:
    """A reason up to what is of one file alone: a name, a place, a number.

    >>> [kind_of(reason) for reason in ("duplicate of a: b", "not text: NUL byte at 4", "empty")]
    ['duplicate', 'not text', 'empty']
    """
    found = _KIND.match(reason)
    return found[1] if found else reason


def reason_of(message: str) -> str:
    """What was said of a file, without its path on this machine: a manifest must not hold one.

    >>> reason_of("cannot read `/home/a.txt`: permission denied")
    'cannot read: permission denied'
    """
    before, quote, rest = message.partition("`")
    after = rest.rpartition("`")[2] if quote else ""
    return f"{before.rstrip()}{after}".lstrip(": ")
