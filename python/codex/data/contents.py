"""What prepared data a folder holds, as far as names and manifests tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from codex.data.store import SCHEMA_VERSION, STAGES
from codex.errors import CodexError
from codex.file import read_manifest

__all__ = ["describe", "stage_folders", "unfinished_folders"]

_KEY = re.compile(r"[0-9a-f]{32}")


def stage_folders(folder: Path) -> list[tuple[str, Path]]:
    """(stage, folder) of all prepared data in a cache, in an `--out` folder, or in the folder of one stage
    itself.

    A folder that should be a stage and has lost its manifest is in the list too; what stands under a
    temporary name is not.
    """
    if folder.name in STAGES and (folder / "manifest.json").is_file():
        return [(folder.name, folder)]
    if _KEY.fullmatch(folder.name) and folder.parent.name in STAGES:
        return [(folder.parent.name, folder)]
    found = []
    for stage in STAGES:
        if (folder / stage).is_dir():
            found.append((stage, folder / stage))
        found += [
            (stage, path)
            for path in sorted((folder / "prepared" / stage).glob("*"))
            if _KEY.fullmatch(path.name)
        ]
    return found


def unfinished_folders(folder: Path) -> list[Path]:
    """What a killed process left under temporary names, or a running one is filling."""
    places = [folder, *(folder / "prepared" / stage for stage in STAGES)]
    partial = [path for place in places for path in place.glob("*.partial-*")]
    kept = [
        *folder.glob("unfinished/*/*"),
        *(path for path in folder.glob(".*.*") if _KEY.fullmatch(path.suffix[1:])),
    ]
    return sorted(partial + kept)


def describe(stage: str, folder: Path) -> dict[str, Any]:
    """One row of `codex data list`: what the manifest says; the files are not read."""
    row: dict[str, Any] = {"stage": stage, "folder": str(folder), "key": folder.name, "made": _made(folder)}
    try:
        manifest = read_manifest(folder, kind=stage, schema_version=SCHEMA_VERSION)
    except CodexError as error:
        return {**row, "state": f"unusable: {error}", "bytes": 0, "counts": {}}
    size = sum(entry["bytes"] for entry in manifest["files"])
    return {**row, "key": manifest["key"], "state": "whole", "bytes": size, "counts": manifest["counts"]}


def _made(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / "build.json").read_bytes())["time"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # nothing depends on it, and no digest covers it
