"""Ways of writing, which a test calls, and as a program also kills: `writers.py file|folder HOME`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from codex.file import PartialFolder, list_files, write_atomic, write_manifest


def replace_file(home: Path) -> None:
    write_atomic(home / "file", b"new" * 100_000)


def replace_folder(home: Path) -> None:
    with PartialFolder(home / "folder", replace=True) as folder:
        folder.write("one", b"new one" * 50_000)
        file = folder.open("sub/two")
        file.write(b"new ")
        file.write(b"two")
        file.finish()
        write_manifest(folder.path, {"kind": "test", "schema_version": 1, "files": list_files(folder.path)})


WRITERS: dict[str, Callable[[Path], None]] = {"file": replace_file, "folder": replace_folder}


def old(home: Path) -> None:
    (home / "file").write_bytes(b"old")
    (home / "folder").mkdir()
    (home / "folder" / "gone").write_bytes(b"old and gone")
    write_manifest(
        home / "folder", {"kind": "test", "schema_version": 1, "files": list_files(home / "folder")}
    )


if __name__ == "__main__":
    WRITERS[sys.argv[1]](Path(sys.argv[2]))
