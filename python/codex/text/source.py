"""The bytes of a file that is one, and stays the same while it is read."""

from __future__ import annotations

import os
import stat
from os import PathLike, fspath
from pathlib import Path

from codex.errors import DataError
from codex.file import read_bytes

__all__ = ["read_file", "require_same", "stamp"]

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Stamp = tuple[int, int, int, int]


def stamp(path: str | PathLike[str]) -> Stamp | None:
    """What changes when a file does; None if `path` cannot be looked at, as reading it will tell.

    Raises:
        DataError: if `path` is no file (opening a FIFO would wait for a writer), or may not be read.
    """
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    kind = _KINDS.get(stat.S_IFMT(status.st_mode))
    if kind:
        raise DataError(f"cannot read `{fspath(path)}`: {kind}, not a file")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise DataError(f"cannot read `{fspath(path)}`: permission denied")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def read_file(path: str | PathLike[str]) -> bytes:
    """The plain bytes of a file, decompressed if it is compressed.

    Raises:
        MissingDataError, MachineError: if it cannot be read.
        DataError: if it is no file, may not be read, is damaged, or changes meanwhile.
    """
    before = stamp(path)
    data = read_bytes(path)
    require_same(path, before)
    return data


def require_same(path: str | PathLike[str], before: Stamp | None) -> None:
    """Refuses a file that changed since `before`."""
    if stamp(path) != before:
        raise DataError(
            f"`{fspath(path)}` changed while it was read", hint="read it once nothing writes to it"
        )
