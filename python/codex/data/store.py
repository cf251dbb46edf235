"""Keep each stage by what it was made from: find it if it is whole, build it if it is not.

The key of a stage is a digest over its parents' digests and its parameters, so equal input is found again and
other input never takes its place. A stage is a folder that appears whole, by one rename, with its manifest in
it; killed at any instant, it is not there at all. It is used again only if its manifest verifies: each file
there, of its size, with its digest. A lock keeps two processes from building the same one; the second waits
and takes what the first has made.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import codex
from codex.data.evict import mark_used, overdue_notes
from codex.data.progress import Progress
from codex.errors import DamageError, DataError, DiskFullError, LockError, MachineError, UsageError
from codex.file import (
    Lock,
    PartialFolder,
    canonical_json,
    create_folder,
    digest_bytes,
    list_files,
    read_manifest,
    require_space,
    seal_manifest,
    sweep_partial,
    verify_folder,
)

__all__ = [
    "SCHEMA_VERSION",
    "STAGES",
    "Place",
    "Recipe",
    "Stage",
    "cache_folder",
    "evict_stages",
    "fetch",
    "held",
    "take",
]

#: The stages in the order in which they are built.
STAGES = ("records", "splits", "tokenizer", "shards")
#: Of the manifests written here.
SCHEMA_VERSION = 1
_WAIT_S = 0.1
#: What stays in the cache: raw files may be gone that a paused run would need to build it again, so it stays long.
_KEPT_BYTES = 128 << 30
_KEPT_DAYS = 90


def cache_folder() -> Path:
    """Where prepared data is kept: `$CODEX_CACHE_DIR`, else `~/.cache/codex`."""
    return Path(os.environ.get("CODEX_CACHE_DIR") or Path.home() / ".cache" / "codex")


@dataclass(frozen=True, slots=True)
class Place:
    """Where stage folders stand: under keys in a cache, or under their names in a folder of the user's."""

    cache: Path
    out: Path | None = None

    def folder(self, stage: str, key: str) -> Path:
        """Where this stage with this key belongs."""
        return self.out / stage if self.out else self.cache / "prepared" / stage / key

    def lock(self, stage: str, key: str) -> Path:
        """The file that whoever builds it holds locked."""
        return self.out / f".{stage}.lock" if self.out else self.cache / "prepared" / stage / f"{key}.lock"

    def unfinished(self, stage: str, key: str) -> Path:
        """What a stage keeps while it is being built, so that a kill costs little."""
        return self.out / f".{stage}.{key}" if self.out else self.cache / "unfinished" / stage / key

    def units(self) -> Path:
        """Where the sorted records of some raw files are kept, so that others need not be read again."""
        return self.out / ".units" if self.out else self.cache / "units"

    def written(self) -> list[Path]:
        """All that may lie inside a corpus without being part of it."""
        if not self.out:
            return [self.cache]
        own = (path for stage in STAGES for path in (self.folder(stage, ""), self.lock(stage, "")))
        return [self.cache, self.out, self.units(), *own]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a stage is made from, and how."""

    name: str
    parents: list[dict[str, Any]]
    """Digests of what it is made from."""
    parameters: dict[str, Any]
    """All else that its bytes depend on."""
    build: Callable[[PartialFolder], dict[str, Any]]
    """Writes the files; returns `counts` and `skipped` of the manifest."""
    unread: tuple[tuple[str, str, int], ...] = ()
    """Inputs that have no digest, as they could not be read: (path, reason, bytes)."""
    needed_bytes: int = 0
    """Room that it takes, about."""
    keeps: bool = False
    """Whether `build` keeps in `Place.unfinished` what it has made; it is removed once the stage is there."""
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    """What is of this machine alone, for `build.json`."""

    @property
    def key(self) -> str:
        """32 hex digits over all that the bytes depend on."""
        parts = {name: getattr(self, name) for name in ("name", "parents", "parameters")}
        made_from = canonical_json({**parts, "unread": [list(entry) for entry in self.unread]})
        return digest_bytes(made_from, "sha256").removeprefix("sha256:")[:32]


@dataclass(frozen=True, slots=True)
class Stage:
    """One finished stage."""

    name: str
    folder: Path
    manifest: Mapping[str, Any]
    built: bool
    """Whether it was built now; otherwise it was there and verified."""


def fetch(recipe: Recipe, place: Place, progress: Progress) -> Stage:
    """Find the stage of `recipe` at `place`, or build it.

    Raises:
        UsageError: if something that is not ours stands in its place.
        DamageError: if what stands there was written by a newer codex.
        MachineError: if it cannot be written.
    """
    folder = place.folder(recipe.name, recipe.key)
    manifest = _whole(recipe, place, folder, progress.say)
    is_built = manifest is None
    if manifest is None:
        _make_folder(folder.parent)
        with held(place.lock(recipe.name, recipe.key), recipe.name, progress, waits=place.out is None):
            # Another process may have finished it while this one waited.
            manifest = _whole(recipe, place, folder, lambda _: None)
            is_built = manifest is None
            if manifest is None:
                sweep_partial(folder.parent)
                require_space(folder.parent, recipe.needed_bytes)
                manifest = _build(recipe, folder)
    if place.out is None:
        mark_used(folder / "manifest.json")
    if recipe.keeps:
        shutil.rmtree(place.unfinished(recipe.name, recipe.key), ignore_errors=True)
    counts = ", ".join(f"{value:,} {what.replace('_', ' ')}" for what, value in manifest["counts"].items())
    progress.say(f"{recipe.name}: {counts} ({'built' if is_built else 'found'}: {folder})")
    return Stage(recipe.name, folder, manifest, is_built)


def evict_stages(
    cache: Path,
    in_use: Collection[Path],
    progress: Progress,
    *,
    maximum_bytes: int = _KEPT_BYTES,
    maximum_days: float = _KEPT_DAYS,
) -> None:
    """Remove from the cache the stages that were not used for so long, and the longest unused beyond so many bytes.

    Args:
        cache: of `Place`.
        in_use: folders that stay.
        progress: told of every folder that goes.
    """
    overdue = overdue_notes(
        (cache / "prepared").glob("*/*/manifest.json"),
        lambda note: sum(path.stat().st_size for path in note.parent.iterdir()),
        maximum_bytes=maximum_bytes,
        maximum_days=maximum_days,
    )
    for note in overdue:
        folder = note.parent
        if folder in in_use or ".partial-" in folder.name:
            continue
        # Whoever builds or checks it holds the lock: then it is in use.
        with suppress(LockError), Lock(folder.with_name(f"{folder.name}.lock")):
            note.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            progress.say(f"{folder.parent.name}: removed from the cache, unused for long: {folder}")


def take(name: str, folder: Path) -> Stage:
    """The finished stage that stands in `folder`, whatever it was made from.

    Raises:
        DamageError: if it is not as it was written, or a newer codex wrote it.
    """
    read_manifest(folder, kind=name, schema_version=SCHEMA_VERSION)
    return Stage(name, folder, verify_folder(folder), built=False)


def _whole(recipe: Recipe, place: Place, folder: Path, say: Callable[[str], None]) -> dict[str, Any] | None:
    """The manifest of `folder` if it is what `recipe` makes, all of it; None if that is to be built."""
    if not os.path.lexists(folder):
        return None
    if place.out and not (folder / "manifest.json").exists() and not _is_empty(folder):
        raise UsageError(
            f"`{folder}` is in the way: it is no folder of prepared data",
            hint="choose another folder with --out",
        )
    try:
        read_manifest(folder)
    except (DamageError, DataError) as error:
        say(f"{recipe.name}: damaged, building it again: {error}")
        return None
    # Outside the `try`: the manifest is whole, so if a newer codex has written it, it is refused and left
    # alone.
    manifest = read_manifest(folder, kind=recipe.name, schema_version=SCHEMA_VERSION)
    if manifest["key"] != recipe.key:
        say(f"{recipe.name}: `{folder}` was made from something else, building it again")
        return None
    try:
        verify_folder(folder)
    except DamageError as error:
        say(f"{recipe.name}: damaged, building it again: {error}")
        return None
    return manifest


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _build(recipe: Recipe, folder: Path) -> dict[str, Any]:
    with PartialFolder(folder, replace=True) as partial:
        made = recipe.build(partial)
        partial.write("build.json", canonical_json({**_circumstances(), **recipe.circumstances}))
        manifest = {
            "kind": recipe.name,
            "schema_version": SCHEMA_VERSION,
            "key": recipe.key,
            "parents": recipe.parents,
            "parameters": recipe.parameters,
            "files": list_files(partial),
            **made,
        }
        sealed = seal_manifest(manifest)
        partial.write("manifest.json", sealed)
    return cast("dict[str, Any]", json.loads(sealed))


def _circumstances() -> dict[str, Any]:
    """What two equal builds may differ in; no digest covers it."""
    return {
        "schema_version": 1,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
        "codex": codex.__version__,
        "python": platform.python_version(),
    }


@contextmanager
def held(path: Path, name: str, progress: Progress, *, waits: bool) -> Iterator[None]:
    """Holds the lock; while another process holds it, waits, having said for whom, or is refused.

    Raises:
        LockError: if it is refused; the message names the other.
    """
    told = False
    while True:
        try:
            lock = Lock(path)
            break
        except LockError as error:
            if not waits:
                raise
            if not told:
                progress.say(f"{name}: waiting for another process that is building the same: {error}")
                told = True
            time.sleep(_WAIT_S)
    with lock:
        yield


def _make_folder(path: Path) -> None:
    try:
        create_folder(path)
    except DiskFullError:
        raise
    except (DataError, MachineError) as error:
        hint = "set CODEX_CACHE_DIR to a folder you can write, or choose another --out"
        raise MachineError(error.message, hint=hint) from None
