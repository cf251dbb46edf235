"""A folder of this machine as a place for files."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from codex.errors import MissingDataError
from codex.file import write_atomic
from codex.storage.connector import StoredFile, check_path, check_range

__all__ = ["LocalConnector"]

_PARTIAL = ".partial-"


class LocalConnector:
    """A folder, by its path or a `file://` address; it need not be there before something is written.

    A file appears under its name whole and synced, or not at all. Links are not followed by `list`, and what somebody is still
    writing is not listed.
    """

    def __init__(self, address: str) -> None:
        self.folder = Path(address.removeprefix("file://"))

    async def list(self, under: str = "") -> AsyncIterator[StoredFile]:
        """As `Connector.list`."""
        for file in await asyncio.to_thread(_files_below, self.folder, check_path(under, is_folder=True)):
            yield file

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """As `Connector.read`."""
        return await asyncio.to_thread(self._read, check_path(path), start, end)

    async def write(self, path: str, data: bytes) -> None:
        """As `Connector.write`."""
        await asyncio.to_thread(self._write, check_path(path), data)

    def _read(self, path: str, start: int, end: int | None) -> bytes:
        check_range(start, end)
        try:
            with (self.folder / path).open("rb") as file:
                file.seek(start)
                return file.read() if end is None else file.read(end - start)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise MissingDataError(f"there is no file `{path}` in `{self.folder}`") from None

    def _write(self, path: str, data: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(place, data)


def _files_below(home: Path, under: str) -> list[StoredFile]:
    files = []
    for folder, _, names in os.walk(home / under):
        for name in names:
            place = Path(folder, name)
            with suppress(FileNotFoundError):  # it was removed meanwhile
                status = place.lstat()
                if stat.S_ISREG(status.st_mode) and _PARTIAL not in name:
                    files.append(StoredFile(place.relative_to(home).as_posix(), status.st_size))
    return sorted(files)
