"""What fsspec knows is a place as any other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import fsspec
import pytest

from codex.errors import MissingExtraError, UsageError
from codex.storage import check_connector, open_connector
from codex.storage.remote import FsspecConnector


def test_memory_is_a_place(request: pytest.FixtureRequest) -> None:
    request.addfinalizer(lambda: fsspec.filesystem("memory").rm("/conformance", recursive=True))
    asyncio.run(check_connector(open_connector("memory://conformance")))


def test_a_folder_within_another_file_system_is_a_place(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    asyncio.run(
        check_connector(FsspecConnector("dir://inner", target_protocol="memory", path=f"/{tmp_path}"))
    )


def test_what_fsspec_cannot_open_is_said() -> None:
    with pytest.raises(UsageError, match="`nowhere://a` is no address of files"):
        open_connector("nowhere://a")
    with pytest.raises(MissingExtraError, match=r"`gs://a` cannot be opened: .*gcsfs"):
        open_connector("gs://a")
