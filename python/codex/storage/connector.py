"""What a place for files is, and how an address becomes one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol, cast, runtime_checkable

from codex.errors import MissingExtraError, UsageError
from codex.registry import Registry

__all__ = ["Connector", "StoredFile", "check_path", "check_range", "connectors", "open_connector"]

connectors = Registry("connector", {"file": "codex.storage.local:LocalConnector"}, group="codex.connectors")
"""The scheme of an address -> what is called with the address. Schemes that are none of these are fsspec's."""


class StoredFile(NamedTuple):
    """A file of a place, as it is listed."""

    path: str
    """Below the address of the place, parts joined by `/`."""
    bytes: int
    """Its length."""
    version: str | None = None
    """What is another when the content is, if the place tells; equal versions mean equal content."""


@runtime_checkable
class Connector(Protocol):
    """A place for files. Paths are relative to its address, parts joined by `/`; none leaves it.

    All methods may be under way at the same time. `check_connector` holds a place to what is said here.
    """

    def list(self, under: str = "") -> AsyncIterator[StoredFile]:
        """Every file below the folder `under`, in the order of their paths; none if there is no such folder."""
        ...

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes of a file from `start` to `end`, or to where it ends if that is sooner.

        Raises:
            MissingDataError: if there is no such file.
            UsageError: if the path is none, or the range has no order.
        """
        ...

    async def write(self, path: str, data: bytes) -> None:
        """Make `data` the content of a file, whole or not at all; folders on the way are made.

        Raises:
            UsageError: if the path is none.
        """
        ...


def open_connector(address: str) -> Connector:
    """The place at `address`: a folder, `file://...`, an address that fsspec knows (`s3://bucket/folder`), or one of a plugin.

    Raises:
        MissingExtraError: if it takes fsspec, or a package that fsspec asks for, and that is not installed.
        UsageError: if nobody knows the scheme.

    >>> import asyncio
    >>> from tempfile import TemporaryDirectory
    >>> async def example(home):
    ...     place = open_connector(home)
    ...     await place.write("more/note.txt", b"a note")
    ...     return [file async for file in place.list()], await place.read("more/note.txt", 2)
    >>> with TemporaryDirectory() as home:
    ...     asyncio.run(example(home))
    ([StoredFile(path='more/note.txt', bytes=6, version=None)], b'note')
    """
    scheme, found, _ = address.partition("://")
    if not found:
        scheme = "file"
    if scheme in connectors.names():
        return cast(Connector, connectors[scheme](address))
    try:
        from codex.storage.remote import FsspecConnector
    except ImportError as error:
        message = f"`{address}` cannot be opened: `fsspec` is not installed"
        raise MissingExtraError(message, hint='pip install "codex-lm[storage]"') from error
    return FsspecConnector(address)


def check_path(path: str, *, is_folder: bool = False) -> str:
    """`path`, if it names something below the address of a place.

    Raises:
        UsageError: if it is absolute, has an empty part, `.` or `..`, or a NUL; or is empty and not `is_folder`.

    >>> check_path("a/b.txt")
    'a/b.txt'
    >>> check_path("../b.txt")
    Traceback (most recent call last):
    codex.errors.UsageError: `../b.txt` is no path of a stored file, expected parts joined by `/`, none of them empty, `.` or `..`
    """
    if is_folder and not path:
        return path
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        message = f"`{path}` is no path of a stored file, expected parts joined by `/`, none of them empty, `.` or `..`"
        raise UsageError(message.replace("\0", "\\0"))
    return path


def check_range(start: int, end: int | None) -> None:
    """Hold a range to its order.

    Raises:
        UsageError: if it begins before 0 or ends before it begins.
    """
    if start < 0 or (end is not None and end < start):
        raise UsageError(f"the range from {start} to {end} is none, expected 0 <= start <= end")
