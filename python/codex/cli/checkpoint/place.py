"""Which checkpoints a word on the command line means: one, a folder of them, a run, or the name of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.checkpoint import Skipped, Summary, find_latest, list_checkpoints, summarize
from codex.checkpoint.pickled import refuse_pickled
from codex.cli.command import Commands
from codex.cli.output import Output
from codex.errors import DamageError, DataError, MissingDataError, UsageError

__all__ = [
    "Highest",
    "Metric",
    "One",
    "Place",
    "commands",
    "existing",
    "find_all",
    "find_folder",
    "find_one",
    "is_checkpoint",
    "size",
]

commands = Commands("List, verify, compare, keep, export and import checkpoints.")

Place = Annotated[
    Path, typer.Argument(metavar="PATH", help="A checkpoint, a folder of them, a run, or the name of a run.")
]
One = Annotated[
    Path, typer.Argument(metavar="PATH", help="A checkpoint; of a run, the newest that verifies.")
]
Metric = Annotated[
    str, typer.Option("--metric", metavar="NAME", help="Measurement in the state that says which is best.")
]
Highest = Annotated[bool, typer.Option("--highest", help="The highest value is the best, not the lowest.")]


def existing(path: Path) -> Path:
    """The folder that `path` names, a run by its name included."""
    place = Path("runs") / path if not path.exists() and (Path("runs") / path).is_dir() else path
    if not place.exists():
        raise MissingDataError(f"no checkpoint, run or folder is at `{path}`")
    if not place.is_dir():
        refuse_pickled(place)
        raise DataError(f"`{path}` is a file, expected the folder of a checkpoint")
    return place


def is_checkpoint(place: Path) -> bool:
    """Whether `place` is one checkpoint, whole or not, and no folder of them."""
    return place.name.startswith("step-") or (place / "manifest.json").exists()


def find_all(path: Path) -> tuple[list[Summary], list[Skipped]]:
    """The checkpoint that `path` is, or those it holds, and those that do not open."""
    place = existing(path)
    if is_checkpoint(place):
        try:
            return [summarize(place)], []
        except DamageError as error:
            return [], [Skipped(place, str(error))]
    listing = list_checkpoints(_checkpoints_in(place))
    if not listing.checkpoints and not listing.unreadable:
        raise MissingDataError(f"`{path}` holds no checkpoint")
    return listing.checkpoints, listing.unreadable


def find_one(out: Output, path: Path) -> Path:
    """The checkpoint that `path` is, or the newest it holds that verifies; says which, and which it passed over."""
    place = existing(path)
    if is_checkpoint(place):
        return place
    found = find_latest(_checkpoints_in(place))
    if found is None:
        raise MissingDataError(f"`{path}` holds no checkpoint")
    for skipped, reason in found.skipped:
        out.warn(f"skipped `{skipped}`: {reason}")
    out.say(f"checkpoint {found.path}")
    return found.path


def find_folder(path: Path) -> Path:
    """The folder of checkpoints that `path` is, or has in it."""
    place = existing(path)
    if is_checkpoint(place):
        raise UsageError(f"`{path}` is one checkpoint, expected the folder of several, or a run")
    return _checkpoints_in(place)


def size(count: float) -> str:
    """A number of bytes as people say it: `1.4 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count} bytes"
        count /= 1000
    return f"{count:.1f} GB"


def _checkpoints_in(place: Path) -> Path:
    inside = place / "checkpoints"
    return inside if inside.is_dir() else place
