"""Whatever fsspec knows as a place for files: object stores, servers, memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import fsspec

from codex.errors import CodexError, DataError, MachineError, MissingDataError, MissingExtraError, UsageError
from codex.storage.connector import StoredFile, check_path, check_range

__all__ = ["FsspecConnector"]


class FsspecConnector:
    """An address that fsspec knows.

    Whether a file is replaced in one step is up to the store: object stores do, and so does memory.

    Args:
        address: `s3://bucket/folder`, `memory://folder`, ...
        options: what fsspec hands to the file system: keys, an endpoint.
    Raises:
        MissingExtraError: if fsspec asks for a package that is not installed.
        UsageError: if fsspec does not know the scheme.

    >>> import asyncio
    >>> async def example():
    ...     place = FsspecConnector("memory://doctest")
    ...     await place.write("note.txt", b"a note")
    ...     return await place.read("note.txt")
    >>> asyncio.run(example())
    b'a note'
    """

    def __init__(self, address: str, **options: Any) -> None:
        self._address = address
        try:
            self._files, self._root = fsspec.core.url_to_fs(address, **options)
        except ImportError as error:
            hint = 'pip install "codex-lm[storage]"' if address.startswith("s3") else None
            raise MissingExtraError(f"`{address}` cannot be opened: {error}", hint=hint) from error
        except ValueError as error:
            raise UsageError(f"`{address}` is no address of files: {error}") from error

    async def list(self, under: str = "") -> AsyncIterator[StoredFile]:
        """As `Connector.list`."""
        for file in await asyncio.to_thread(self._list, check_path(under, is_folder=True)):
            yield file

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """As `Connector.read`."""
        return await asyncio.to_thread(self._read, check_path(path), start, end)

    async def write(self, path: str, data: bytes) -> None:
        """As `Connector.write`."""
        await asyncio.to_thread(self._write, check_path(path), data)

    def _place(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}" if path else self._root

    def _list(self, under: str) -> Iterable[StoredFile]:
        # What others have written meanwhile is listed too.
        self._files.invalidate_cache()
        skipped = len(self._place("")) + (not self._root.endswith("/"))
        with _said(self._address):
            try:
                found = self._files.find(self._place(under), detail=True).items()
            except FileNotFoundError:  # of S3, where the bucket is not there
                return []
        return sorted(
            StoredFile(place[skipped:], entry["size"], _version(entry))
            for place, entry in found
            if place[skipped:]
        )

    def _read(self, path: str, start: int, end: int | None) -> bytes:
        check_range(start, end)
        place = self._place(path)
        with _said(self._address):
            try:
                entry = self._files.info(place)
                if entry["type"] != "file":
                    raise IsADirectoryError(path)
                last = entry["size"] if end is None else min(end, entry["size"])
                return (
                    cast(bytes, self._files.cat_file(place, start=start, end=last)) if start < last else b""
                )
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                raise MissingDataError(f"there is no file `{path}` in `{self._root}`") from None

    def _write(self, path: str, data: bytes) -> None:
        place = self._place(path)
        with _said(self._address):
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(place, data)


def _version(entry: dict[str, Any]) -> str | None:
    """What a store says of the state of a file: another content, another version."""
    for key in ("ETag", "etag", "md5Hash", "generation"):  # no time: two writes may have the same
        if entry.get(key) is not None:
            return f"{key} {entry[key]}"
    return None


@contextmanager
def _said(address: str) -> Iterator[None]:
    """What a store raises, in our words: every library has errors of its own."""
    try:
        yield
    except CodexError:
        raise
    except PermissionError as error:
        raise DataError(f"`{address}` refuses: {error}", hint="check the keys that are set for it") from error
    except Exception as error:
        what = str(error) or type(error).__name__
        raise MachineError(f"`{address}` cannot be reached: {what}") from error
