"""Raw files to records: read, decode, drop exact duplicates, write in the order of the ids.

Two passes over the files, so that memory holds one file and one line of index for each, whatever the corpus
weighs. The first learns the id of every text; the second reads again, in id order, and writes. A file that
changes in between is an error, not a mixture.

Each file ends either in one record or in the list of what was skipped, with the reason; `duplicate of` names
the record that holds the same text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codex.data.decoding import decode_file
from codex.data.listing import Found, Listing, Skipped, stamp_of
from codex.data.progress import Progress
from codex.errors import CodexError, DataError, MachineError
from codex.file import PartialFolder, digest_file, read_bytes
from codex.records import Record, Source, record_id, write_records
from codex.text import Decoded

__all__ = ["Raw", "ingest", "kinds_of_reasons", "read_digests"]

#: A reason up to what is of one file alone: a name, a place, a number.
_KIND = re.compile(r"(.+?)(?=: | of | after | \(|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Raw:
    """The files of a corpus with their digests: all that the records depend on besides the parameters."""

    files: list[tuple[Found, str]]
    skipped: list[Skipped]

    def parents(self) -> list[dict[str, Any]]:
        """The raw files as a manifest lists them."""
        return [{"path": found.name, "bytes": found.bytes, "digest": digest} for found, digest in self.files]


def read_digests(listing: Listing, progress: Progress) -> Raw:
    """The SHA-256 of every file as it lies on the disk, compressed or not; what cannot be read is skipped."""
    files: list[tuple[Found, str]] = []
    skipped = list(listing.skipped)
    for done, found in enumerate(listing.files):
        progress.step("digests", done, len(listing.files))
        try:
            files.append((found, digest_file(found.path).digest))
        except (DataError, MachineError) as error:
            skipped.append(Skipped(found.name, _reason(error), found.bytes))
    progress.step("digests", len(listing.files), len(listing.files))
    return Raw(files, sorted(skipped, key=lambda entry: entry.path))


def ingest(
    folder: PartialFolder, raw: Raw, *, maximum_file_bytes: int, encoding: str = "auto", progress: Progress
) -> dict[str, Any]:
    """Write `records.ndjson` into `folder`.

    Args:
        folder: where to; committed by the caller.
        raw: the files, from `read_digests`.
        maximum_file_bytes: of a file once it is decompressed; above it, the file is skipped.
        encoding: `auto` or `declared`, see `codex.data.decoding`.
        progress: told of every file.

    Returns:
        `counts` and `skipped` of the manifest.

    Raises:
        DataError: if no text is left, or a file changes while it is read.
    """
    chosen: dict[str, Found] = {}
    skipped = list(raw.skipped)
    for done, (found, _) in enumerate(raw.files):
        progress.step("read", done, len(raw.files))
        decoded = _read(found, maximum_file_bytes, encoding)
        if isinstance(decoded, str):
            skipped.append(Skipped(found.name, decoded, found.bytes))
            continue
        identity = record_id(decoded.text)
        if not decoded.text:
            skipped.append(Skipped(found.name, "empty", found.bytes))
        elif identity in chosen:  # whose name is smaller: the files come in the order of their names
            skipped.append(Skipped(found.name, f"duplicate of {chosen[identity].name}", found.bytes))
        else:
            chosen[identity] = found
    progress.step("read", len(raw.files), len(raw.files))
    if not chosen:
        raise DataError(_nothing_left(skipped), hint="check `data.paths`, `data.include` and `data.exclude`")

    counts = {"files": len(raw.files), "file_bytes": sum(found.bytes for found, _ in raw.files)}
    counts |= {"records": len(chosen), "text_bytes": 0, "skipped": len(skipped)}

    def records() -> Iterator[Record]:
        for done, identity in enumerate(sorted(chosen)):
            progress.step("records", done, len(chosen))
            found = chosen[identity]
            decoded = _read(found, maximum_file_bytes, encoding)
            if isinstance(decoded, str) or record_id(decoded.text) != identity:
                raise _changed(found)
            counts["text_bytes"] += len(decoded.text.encode())
            source = Source(found.name, encoding=decoded.encoding, errors=decoded.errors)
            yield Record(identity, decoded.text, source)

    file = folder.open("records.ndjson")
    write_records(file, records())
    file.finish()
    progress.step("records", len(chosen), len(chosen))
    skipped.sort(key=lambda entry: entry.path)
    return {
        "counts": counts,
        "skipped": [{"path": s.path, "reason": s.reason, "bytes": s.bytes} for s in skipped],
    }


def kinds_of_reasons(skipped: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many files were skipped for each kind of reason, the most frequent first.

    >>> kinds_of_reasons([{"reason": "duplicate of a"}, {"reason": "empty"}, {"reason": "duplicate of b: c"}])
    {'duplicate': 2, 'empty': 1}
    """
    kinds = Counter(found[1] for entry in skipped if (found := _KIND.match(entry["reason"])))
    return dict(sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0])))


def _read(found: Found, maximum_file_bytes: int, encoding: str) -> Decoded | str:
    """The text of a file, or the reason why there is none."""
    text = _decoded(found, maximum_file_bytes, encoding)
    try:
        stamp = stamp_of(found.path.stat())
    except OSError:
        raise _changed(found) from None
    if stamp != found.stamp:
        raise _changed(found)
    return text


def _decoded(found: Found, maximum_file_bytes: int, encoding: str) -> Decoded | str:
    try:
        data = read_bytes(found.path, limit_bytes=maximum_file_bytes)
    except (DataError, MachineError) as error:
        return _reason(error)
    try:
        return decode_file(data, found.name, encoding)
    except DataError as error:
        return error.message


def _changed(found: Found) -> DataError:
    return DataError(
        f"`{found.path}` changed while the corpus was being read", hint="run again once nothing writes to it"
    )


def _reason(error: CodexError) -> str:
    """What was said of a file, without its path on this machine: a manifest must not hold one."""
    before, quote, rest = error.message.partition("`")
    after = rest.rpartition("`")[2] if quote else ""
    return f"{before.rstrip()}{after}".lstrip(": ")


def _nothing_left(skipped: list[Skipped]) -> str:
    if not skipped:
        return "the corpus is empty: no file belongs to it"
    first = f"the first being `{skipped[0].path}` ({skipped[0].reason})"
    return f"the corpus holds no text: all {len(skipped)} files were skipped, {first}"
