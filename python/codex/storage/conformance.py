"""The conformance suite of connectors: what `Connector` says, clause by clause, tried at a place that is empty.

Whoever writes a connector runs it in a test of his own:

    asyncio.run(check_connector(MyConnector("mine://empty")))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from codex.errors import CodexError, DifferenceError, MissingDataError, UsageError
from codex.storage.connector import Connector, StoredFile

__all__ = ["check_connector"]

_FILES = {
    "a.txt": b"a",
    "a/b.txt": b"below a",
    "a/b/c.txt": b"further below",
    "a-b": b"sorts before a/b",
    "empty": b"",
    "\u00e9 \u4e2d#%?&+ .bin": bytes(range(256)) * 512,
}
_NO_PATHS = ["", "/a", "a/", "a//b", ".", "a/./b", "..", "../a", "a/../../b", "a\0b"]


async def check_connector(place: Connector) -> None:
    """Try every clause at an empty place, and leave files there.

    Raises:
        DifferenceError: if the place does otherwise; the message says which clause, what it did, and what was expected.
    """
    for clause in (
        _is_empty,
        _lists_what_was_written,
        _reads_ranges,
        _replaces,
        _misses,
        _refuses,
        _is_shared,
    ):
        await clause(place)


def _expect(clause: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise DifferenceError(f"{clause}: got {_short(got)}, expected {_short(wanted)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


async def _expect_error(clause: str, kind: type[CodexError], call: Callable[[], Awaitable[object]]) -> None:
    try:
        got = await call()
    except kind:
        return
    except Exception as error:
        raise DifferenceError(f"{clause}: got {error!r}, expected {kind.__name__}") from error
    raise DifferenceError(f"{clause}: got {_short(got)}, expected {kind.__name__}")


async def _listed(place: Connector, under: str = "") -> list[StoredFile]:
    return [StoredFile(file.path, file.bytes) async for file in place.list(under)]


async def _version(place: Connector, path: str) -> str | None:
    return next(file.version for file in [file async for file in place.list()] if file.path == path)


async def _is_empty(place: Connector) -> None:
    _expect("a place that is empty lists nothing", await _listed(place), [])


async def _lists_what_was_written(place: Connector) -> None:
    for path, data in _FILES.items():
        await place.write(path, data)
    wanted = sorted(StoredFile(path, len(data)) for path, data in _FILES.items())
    _expect("all files are listed in the order of their paths", await _listed(place), wanted)
    for path, data in _FILES.items():
        _expect(f"`{path}` is read as it was written", await place.read(path), data)
    below = [file for file in wanted if file.path.startswith("a/")]
    _expect("a folder lists what is below it", await _listed(place, "a"), below)
    _expect("a folder that is not there lists nothing", await _listed(place, "none"), [])


async def _reads_ranges(place: Connector) -> None:
    path = max(_FILES, key=lambda path: len(_FILES[path]))
    data = _FILES[path]
    for start, end in [
        (0, 0),
        (0, 1),
        (5, 5),
        (7, 1000),
        (100, None),
        (len(data) - 1, len(data) + 9),
        (len(data), None),
    ]:
        _expect(f"bytes {start} to {end}", await place.read(path, start, end), data[start:end])
    _expect("bytes behind the end", await place.read(path, len(data) + 5, len(data) + 9), b"")


async def _replaces(place: Connector) -> None:
    versions = []
    for data in (b"longer than before", b"short", b"equal", b""):
        await place.write("replaced", data)
        _expect("a file that is written again has the new content alone", await place.read("replaced"), data)
        versions.append(await _version(place, "replaced"))
    if versions != [None] * len(versions):
        _expect("another content has another version", len(set(versions) - {None}), len(versions))


async def _misses(place: Connector) -> None:
    for path in ("none", "a/none", "none/a.txt", "a/b"):
        await _expect_error(f"`{path}` is no file", MissingDataError, partial(place.read, path))


async def _refuses(place: Connector) -> None:
    for path in _NO_PATHS:
        await _expect_error(f"`{path!r}` is no path to read", UsageError, partial(place.read, path))
        await _expect_error(f"`{path!r}` is no path to write", UsageError, partial(place.write, path, b""))
    await _expect_error("a range with no order", UsageError, partial(place.read, "a.txt", 2, 1))
    await _expect_error("a range before the start", UsageError, partial(place.read, "a.txt", -1))


async def _is_shared(place: Connector) -> None:
    contents = [bytes([number]) * 100_000 for number in range(16)]
    await asyncio.gather(*(place.write(f"shared/{number}", data) for number, data in enumerate(contents)))
    read = await asyncio.gather(*(place.read(f"shared/{number}") for number in range(len(contents))))
    _expect(
        "files written and read at the same time",
        [data == own for data, own in zip(read, contents, strict=True)],
        [True] * 16,
    )
    await asyncio.gather(*(place.write("shared/one", data) for data in contents))
    _expect("a file that many write has the content of one", await place.read("shared/one") in contents, True)
