"""Places for files: ours pass the conformance suite, and the suite finds what is wrong with others."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codex.errors import DifferenceError, MissingExtraError
from codex.storage import Connector, StoredFile, check_connector, open_connector
from codex.storage.local import LocalConnector


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_folder_is_a_place(tmp_path: Path, scheme: str) -> None:
    place = open_connector(f"{scheme}{tmp_path}/new")
    assert isinstance(place, Connector)
    asyncio.run(check_connector(place))
    assert (tmp_path / "new" / "a" / "b.txt").read_bytes() == b"below a"


def test_links_and_what_is_being_written_are_not_listed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "folder").symlink_to("/")
    (tmp_path / f"b.partial-{os.getpid()}-1").write_bytes(b"2")

    async def listed() -> list[StoredFile]:
        return [file async for file in open_connector(str(tmp_path)).list()]

    assert asyncio.run(listed()) == [StoredFile("a", 1)]


class _Wrong(LocalConnector):
    """A folder with one thing wrong about it."""

    def __init__(self, folder: Path, wrong: str) -> None:
        super().__init__(str(folder))
        self.wrong = wrong

    async def list(self, under: str = "") -> AsyncIterator[StoredFile]:
        files = [file async for file in super().list(under)]
        for file in reversed(files) if self.wrong == "order" else files:
            yield StoredFile(file.path, 0) if self.wrong == "bytes" else file

    async def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        if self.wrong == "missing" and path == "none":
            return b""
        if self.wrong == "error" and path == "none":
            raise OSError("no such file")
        return await super().read(path, start, None if self.wrong == "range" else end)

    async def write(self, path: str, data: bytes) -> None:
        if self.wrong == "path" and path == "../a":
            return
        if self.wrong == "appends" and path == "replaced" and (self.folder / path).exists():
            data = (self.folder / path).read_bytes() + data
        if self.wrong == "torn" and path == "shared/one":
            data = data[:1] + b"torn"
        await super().write(path, data)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("order", "all files are listed in the order of their paths: got"),
        ("bytes", "all files are listed"),
        ("range", "bytes 0 to 0: got"),
        ("appends", "a file that is written again has the new content alone: got b'longer than beforeshort'"),
        ("missing", "`none` is no file: got b'', expected MissingDataError"),
        ("error", "`none` is no file: got OSError"),
        ("path", "`'../a'` is no path to write: got None, expected UsageError"),
        ("torn", "a file that many write has the content of one: got False"),
    ],
)
def test_the_suite_says_which_clause_is_broken(tmp_path: Path, wrong: str, message: str) -> None:
    with pytest.raises(DifferenceError) as raised:
        asyncio.run(check_connector(_Wrong(tmp_path, wrong)))
    assert str(raised.value).startswith(message)


def test_a_place_that_is_not_empty_is_not_tried(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"1")
    with pytest.raises(DifferenceError, match="a place that is empty lists nothing"):
        asyncio.run(check_connector(open_connector(str(tmp_path))))
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]


def test_a_plugin_has_its_own_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("mine", "codex.storage.local:LocalConnector", "codex.connectors")
    monkeypatch.setattr(
        "codex.registry.entry_points", lambda *, group: [point] if group == "codex.connectors" else []
    )
    place = open_connector(f"mine://{tmp_path}")
    assert isinstance(place, LocalConnector)


def test_without_fsspec_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "codex.storage.remote", None)
    with pytest.raises(
        MissingExtraError, match="`memory://a` cannot be opened: `fsspec` is not installed"
    ) as raised:
        open_connector("memory://a")
    assert raised.value.hint == 'pip install "codex-lm[storage]"'
