"""Raw files to records once more: whether the places a corpus was read from still give what was made of them.

First every raw file is held against the list the records were made from, by SHA-256: it is the same, another, gone or new. Then
the records are made again, by the code that made them, in a folder for the while, and compared line by line; a text that differs
though its raw file is the same was changed here. The network is not used: files that were fetched are compared if they are named
(`places`), as a copy of them or at their address.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from codex.data.corpora import Corpus, user_paths
from codex.data.filters import Filters
from codex.data.findings import Report
from codex.data.formats import Reading
from codex.data.ingest import Raw, Rules, ingest, read_digests
from codex.data.prepare import CODE
from codex.data.progress import Progress
from codex.data.source import Source, list_source
from codex.data.store import Place, cache_folder
from codex.data.units import cut_units
from codex.errors import ChangedError, DataError, MissingExtraError
from codex.file import PartialFolder, digest_file

__all__ = ["hold_against_raw"]

#: Records that differ are told up to so many.
_LISTED = 1000


def hold_against_raw(
    folder: Path,
    manifest: Mapping[str, Any],
    report: Report,
    progress: Progress,
    *,
    places: Sequence[str] = (),
) -> None:
    """Compare the records in `folder` with what their raw files give now; `report` is told.

    Takes about the time and the room of the ingest.

    Args:
        folder: of the stage `records`, whole as its manifest says.
        manifest: of it.
        report: told of what differs, and of what could not be compared.
        progress: told of every file.
        places: where the raw files are now; default where `build.json` says, if it was written on this machine.

    Raises:
        DataError: if `places` are not there or cannot be read.
    """
    if (code := manifest["parameters"].get("code")) != CODE["records"]:
        versions = f"version {code} of the code, this one is {CODE['records']}"
        report.unchecked.append(f"{folder}: its raw files: they were read by {versions}")
        return
    try:
        corpus = _corpus_of(folder, manifest, places)
        source = _listed(folder, manifest, corpus)
    except (_UnknownError, DataError, MissingExtraError) as error:
        if places and isinstance(error, DataError):
            raise
        report.unchecked.append(f"{folder}: its raw files: {error}")
        return
    try:
        source.bring(cache_folder(), progress)
        raw = read_digests(source.listing, cut_units(source.listing.files), progress)
        _compare(folder, manifest, raw, report, progress)
    except ChangedError as error:
        report.difference(folder, "raw files", error.message)


def _compare(folder: Path, manifest: Mapping[str, Any], raw: Raw, report: Report, progress: Progress) -> None:
    affected = _compare_files(folder, manifest, raw, report)
    if any(found.path == str(folder / "records.ndjson") for found in report.problems):
        return  # they are not even what they say of themselves
    if affected and manifest["parameters"]["drop_above"] is not None:
        report.unchecked.append(f"{folder}: its texts: which near duplicates stay depends on all raw files")
    else:
        _compare_records(folder, manifest, raw, affected, report, progress)


class _UnknownError(Exception):
    """Why it is not known where raw files are."""


def _corpus_of(folder: Path, manifest: Mapping[str, Any], places: Sequence[str]) -> Corpus:
    parameters = manifest["parameters"]
    build = _read_build(folder)
    known = build.get("places") or {}
    rules = {
        "name": parameters["corpus"],
        "include": tuple(parameters["corpus_include"]),
        "exclude": tuple(parameters["corpus_exclude"]),
        "takes_any_name": known.get("takes_any_name") is True,
    }
    if places:
        return replace(user_paths(tuple(places)), **rules)
    hint = "`--raw PLACE` names them"
    if not known:
        raise _UnknownError(f"`build.json` does not say where they are; {hint}")
    if build.get("host") != socket.gethostname():
        raise _UnknownError(f"they were read on another machine, `{build.get('host')}`; {hint}")
    if known["addresses"]:
        raise _UnknownError(f"`{known['addresses'][0]}` is not on this machine; {hint}")
    roots = tuple(Path(root) for root in known["roots"])
    if missing := [root for root in roots if not root.exists()]:
        raise _UnknownError(f"`{missing[0]}` is no longer there; {hint}")
    return Corpus(roots=roots, **rules)


def _read_build(folder: Path) -> dict[str, Any]:
    """What no digest covers, so anything may stand there."""
    try:
        build = json.loads((folder / "build.json").read_bytes())
        places = build.get("places") or {}
        texts = [*places.get("roots", ()), *places.get("addresses", ())]
        is_known = all(isinstance(text, str) for text in texts) and {"roots", "addresses"} <= places.keys()
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return {}
    return {**build, "places": places if is_known else {}}


def _listed(folder: Path, manifest: Mapping[str, Any], corpus: Corpus) -> Source:
    parameters = manifest["parameters"]
    home = folder.absolute()
    is_in_cache = home.name == manifest["key"]
    place = Place(home.parents[2]) if is_in_cache else Place(cache_folder(), home.parent)
    return list_source(
        corpus,
        _reading(manifest),
        include=parameters["include"],
        exclude=parameters["exclude"],
        not_input=place.written(),
    )


def _compare_files(folder: Path, manifest: Mapping[str, Any], raw: Raw, report: Report) -> set[str]:
    """Tells which raw files are others than those the records were made from; the names of these."""
    affected: set[str] = set()

    def tell(name: str, reason: str) -> None:
        affected.add(name)
        report.difference(folder, f"raw file {name}", reason)

    then = {entry["path"]: entry["reason"] for entry in manifest["skipped"]}
    unread = {entry.path: entry.reason for entry in raw.skipped}
    with (folder / "files.ndjson").open("rb") as lines:
        for before, now in _side_by_side(map(json.loads, lines), _entries(raw)):
            if before is None and now is not None:
                name = now["path"]
                tell(name, f"is read now, then: {then[name]}" if name in then else "was not there then")
            elif now is None and before is not None:
                name = before["path"]
                tell(name, unread.get(name, "is gone"))
            elif before is not None and now is not None and before != now:
                tell(before["path"], f"changed: {_said(now)}, the records are from {_said(before)}")
    return affected


def _entries(raw: Raw) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for lines in raw.lines() for line in lines.splitlines())


def _said(entry: Mapping[str, Any]) -> str:
    return f"{entry['digest']} ({entry['bytes']} bytes)"


def _side_by_side(
    before: Iterator[dict[str, Any]], now: Iterator[dict[str, Any]], key: str = "path"
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Two rising sequences as one, what has the same `key` together."""
    one, other = next(before, None), next(now, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[key] < other[key]):
            yield one, None
            one = next(before, None)
        elif one is None or other[key] < one[key]:
            yield None, other
            other = next(now, None)
        else:
            yield one, other
            one, other = next(before, None), next(now, None)


def _compare_records(
    folder: Path,
    manifest: Mapping[str, Any],
    raw: Raw,
    affected: set[str],
    report: Report,
    progress: Progress,
) -> None:
    """Makes the records again and tells which of those here are others; not those of files that are others themselves."""
    stored = folder / "records.ndjson"
    known = len(report.problems)
    with TemporaryDirectory() as home:
        derived = Path(home) / "records"
        try:
            with PartialFolder(derived) as partial:
                made = ingest(partial, raw, Path(home) / "units", _rules(manifest), progress=progress)
        except ChangedError:
            raise
        except DataError as error:
            report.difference(folder, "raw files", error.message)
            return
        if digest_file(stored).digest != digest_file(derived / "records.ndjson").digest:
            _compare_lines(stored, derived / "records.ndjson", affected, report)
    if not affected and len(report.problems) == known:
        _compare_accounts(folder, manifest, made, report)


def _rules(manifest: Mapping[str, Any]) -> Rules:
    """Those that `codex.data.prepare.rules_of` recorded."""
    parameters: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in manifest["parameters"].items()
    }
    filters = Filters(**{field.name: parameters[field.name] for field in fields(Filters)})
    return Rules(_reading(manifest), filters, parameters["drop_above"], {})


def _reading(manifest: Mapping[str, Any]) -> Reading:
    return Reading(**{field.name: manifest["parameters"][field.name] for field in fields(Reading)})


def _compare_lines(stored: Path, derived: Path, affected: set[str], report: Report) -> None:
    here: dict[tuple[str, int | None], str] = {}
    there: dict[tuple[str, int | None], str] = {}
    with stored.open("rb") as old, derived.open("rb") as new:
        for before, now in _side_by_side(map(json.loads, old), map(json.loads, new), "id"):
            either = [record for record in (before, now) if record is not None]
            if before == now or any(record["source"]["path"] in affected for record in either):
                continue
            if before is not None and now is not None:
                part = min(key for key in before | now if before.get(key) != now.get(key))
                reason = f"its {part} is {before.get(part)}, its raw file gives {now.get(part)}"
                report.problem(stored, f"record {before['id']}", reason)
                continue
            record = either[0]
            place = record["source"]["path"], (record.get("meta") or {}).get("row")
            (there if before is None else here)[place] = record["id"]
            if len(here) + len(there) >= _LISTED:
                report.problem(
                    stored, "records", f"at least {_LISTED} are others: those beyond are not listed"
                )
                break
    for path, row in sorted(here.keys() | there.keys(), key=str):
        name = path if row is None else f"{path}#{row}"
        mine, given = here.get((path, row)), there.get((path, row))
        if mine is None:
            report.problem(stored, f"record {given}", f"is missing: `{name}` gives it")
        elif given is None:
            report.problem(stored, f"record {mine}", f"`{name}` does not give it")
        else:
            report.problem(stored, f"record {mine}", f"its text is not that of `{name}`, which gives {given}")


def _compare_accounts(
    folder: Path, manifest: Mapping[str, Any], made: Mapping[str, Any], report: Report
) -> None:
    """What was skipped then and now; the counts, which follow from it and the records."""
    then, now = ({(entry["path"], entry["reason"]) for entry in said["skipped"]} for said in (manifest, made))
    for path, reason in sorted(then - now):
        report.difference(folder, f"raw file {path}", f"was skipped then: {reason}; now it is not")
    for path, reason in sorted(now - then):
        report.difference(folder, f"raw file {path}", f"is skipped now: {reason}")
    if then != now:
        return
    unlike = [part for part in ("counts", "dropped") if made[part] != manifest[part]]
    for part in unlike:
        report.problem(folder, part, f"are {manifest[part]}, the raw files give {made[part]}")
    if not unlike:
        report.derived.append(str(folder))
