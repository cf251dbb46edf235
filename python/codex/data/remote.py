"""Files of a corpus that lie elsewhere: listed where they are, and copied to the cache before they are read.

A copy is a folder of the cache with a manifest, under a key over address, path and version; it is used again while the place
says that version, and if it is as it was written. A place that tells no versions is copied anew each time.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from codex.data.evict import mark_used, overdue_notes
from codex.data.listing import Listing, Remote, stamp_of
from codex.data.progress import Progress
from codex.errors import ChangedError, CodexError, MissingDataError
from codex.file import (
    PartialFolder,
    canonical_json,
    create_folder,
    digest_bytes,
    list_files,
    require_space,
    sweep_partial,
    verify_folder,
    write_manifest,
)
from codex.storage import Connector, StoredFile, open_connector

__all__ = ["bring", "stored_files"]

T = TypeVar("T")

_SCHEMA_VERSION = 1
_PIECE_BYTES = 8 << 20
#: Files that are copied at once, each a piece at a time.
_AT_ONCE = 4
_KEPT_BYTES = 16 << 30
_KEPT_DAYS = 30


def stored_files(address: str) -> tuple[str, list[StoredFile]]:
    """The place of an address, and the files there: those below it, or the one it is the address of.

    Raises:
        MissingDataError: if there is none.
        MissingExtraError, MachineError: if the place cannot be opened or reached.
    """
    return _awaited(_stored_files(address))


def bring(listing: Listing, cache: Path, progress: Progress) -> None:
    """Copy the files of a listing that lie elsewhere, so that they are among its `files`.

    Args:
        listing: is changed.
        cache: what is copied is kept below it.
        progress: told of every file.

    Raises:
        ChangedError: if a file is no longer the one that was listed.
        MachineError: if a place cannot be reached, or the cache not be written.
    """
    if not listing.away:
        return
    home = cache / "fetched"
    create_folder(home)
    sweep_partial(home)
    missing = [remote for remote in listing.away if not _is_there(remote, home)]
    size = sum(remote.file.bytes for remote in missing)
    if missing:
        require_space(home, size)
        _awaited(_copy_all(missing, home, progress))
    progress.say(
        f"fetched {len(missing):,} files, {size:,} bytes; {len(listing.away) - len(missing):,} were here"
    )
    for remote in listing.away:
        path = _folder(remote, home) / "data"
        listing.files.raw.append(remote.name, path, stamp_of(path.stat()))
    listing.files.raw.sort()
    _evict(home, {_folder(remote, home) for remote in listing.away})
    listing.away.clear()


def _evict(home: Path, in_use: set[Path]) -> None:
    """Remove copies that were not used for long, and the longest unused beyond so many bytes; never one that is in use."""
    overdue = overdue_notes(
        home.glob("*/manifest.json"),
        lambda note: (note.parent / "data").stat().st_size,
        maximum_bytes=_KEPT_BYTES,
        maximum_days=_KEPT_DAYS,
    )
    for note in overdue:
        if note.parent not in in_use:
            note.unlink(missing_ok=True)
            shutil.rmtree(note.parent, ignore_errors=True)


async def _stored_files(address: str) -> tuple[str, list[StoredFile]]:
    files = [file async for file in open_connector(address).list()]
    if files:
        return address, files
    folder, _, name = address.rstrip("/").rpartition("/")
    if not folder.endswith("/"):  # `s3://bucket` has nothing above it
        files = [file async for file in open_connector(folder).list(name) if file.path == name]
    if not files:
        raise MissingDataError(
            f"there is nothing at `{address}`", hint="an address is a folder or a file: `s3://bucket/folder`"
        )
    return folder, files


def _awaited(work: Coroutine[Any, Any, T]) -> T:
    """Its result; in a thread of its own, for the caller may be within a loop of events."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _folder(remote: Remote, home: Path) -> Path:
    made_from = canonical_json([remote.address, *remote.file])
    return home / digest_bytes(made_from, "sha256").removeprefix("sha256:")[:32]


def _is_there(remote: Remote, home: Path) -> bool:
    folder = _folder(remote, home)
    if remote.file.version is None or not (folder / "manifest.json").exists():
        return False
    try:
        verify_folder(folder)
    except CodexError:
        return False
    mark_used(folder / "manifest.json")
    return True


async def _copy_all(files: list[Remote], home: Path, progress: Progress) -> None:
    places = {remote.address: open_connector(remote.address) for remote in files}
    turns = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def copy(remote: Remote) -> None:
        nonlocal done
        async with turns:
            await _copy(places[remote.address], remote, home)
        done += 1
        progress.step("fetch", done, len(files))

    progress.step("fetch", 0, len(files))
    await asyncio.gather(*map(copy, files))
    await _unchanged(places, files)


async def _copy(place: Connector, remote: Remote, home: Path) -> None:
    with PartialFolder(_folder(remote, home), replace=True) as partial:
        file = partial.open("data")
        size = 0
        while size < remote.file.bytes:
            end = min(size + _PIECE_BYTES, remote.file.bytes)
            piece = await place.read(remote.file.path, size, end)
            if not piece:
                raise _changed(remote)
            await asyncio.to_thread(file.write, piece)
            size += len(piece)
        file.finish()
        manifest = {
            "kind": "fetched",
            "schema_version": _SCHEMA_VERSION,
            "address": remote.address,
            "path": remote.file.path,
            "version": remote.file.version,
            "files": list_files(partial.path, "xxh3-128"),
        }
        write_manifest(partial.path, manifest)


async def _unchanged(places: dict[str, Connector], files: Iterable[Remote]) -> None:
    """Hold what was copied against what the places list now: pieces of two states are no file."""
    now = {address: {file async for file in place.list()} for address, place in places.items()}
    for remote in files:
        if remote.file not in now[remote.address]:
            raise _changed(remote)


def _changed(remote: Remote) -> ChangedError:
    return ChangedError(
        f"`{remote.file.path}` of `{remote.address}` changed while the corpus was being read",
        hint="run again once nothing writes to it",
    )
