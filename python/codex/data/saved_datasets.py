"""Folders as `datasets.Dataset.save_to_disk` writes them: which Arrow files are the data, and whether all of them are there.

A `Dataset` is a folder with a `state.json` that lists its files; a `DatasetDict` is a folder with a `dataset_dict.json` that
lists folders of them. Saving again into a folder leaves the files of before, and mapping leaves caches: neither is in the
list, neither is data. Nothing of `datasets` is imported.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from codex.data.listing import name_roots
from codex.errors import DataError, MissingDataError

__all__ = ["leftover_files"]

_SPECIAL = re.compile(r"[*?[]")


def leftover_files(roots: Sequence[Path]) -> list[str]:
    """Globs, from the top of the corpus, of the Arrow files in saved datasets that are no data of theirs.

    Raises:
        MissingDataError: if a file or a split that a dataset lists is not there.
        DataError: if a list cannot be read.
    """
    globs = []
    for name, place in name_roots(roots):
        root = Path(place)
        for folder in _dataset_folders(root):
            listed = _listed_files(folder)
            for path in sorted(folder.glob("*.arrow")):
                if path.name not in listed:
                    inner = path.relative_to(root).as_posix()
                    globs.append("/" + _SPECIAL.sub(r"[\g<0>]", f"{name}/{inner}" if name else inner))
    return globs


def _dataset_folders(root: Path) -> Iterator[Path]:
    """The folders below `root`, or itself, that hold one `Dataset` each."""
    for note in sorted(root.rglob("dataset_dict.json")):
        for split in _list_in(note, "splits"):
            if not (note.parent / str(split) / "state.json").is_file():
                raise MissingDataError(
                    f"`{note}` lists the split `{split}`, which is not there",
                    hint="copy the folder again, whole",
                )
    for note in sorted(root.rglob("state.json")):
        if "_data_files" in _read(note):
            yield note.parent


def _listed_files(folder: Path) -> set[str]:
    note = folder / "state.json"
    try:
        names = {str(entry["filename"]) for entry in _list_in(note, "_data_files")}
    except (TypeError, KeyError):
        raise DataError(f"`{note}` lists a file without its name") from None
    for name in sorted(names):
        if not (folder / name).is_file():
            raise MissingDataError(
                f"`{note}` lists the file `{name}`, which is not there", hint="copy the folder again, whole"
            )
    return names


def _list_in(note: Path, key: str) -> list[Any]:
    values = _read(note).get(key)
    if not isinstance(values, list):
        raise DataError(f"`{note}` has no list under `{key}`")
    return values


def _read(note: Path) -> dict[str, Any]:
    try:
        found = json.loads(note.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"`{note}` cannot be read: {error}") from None
    return found if isinstance(found, dict) else {}
