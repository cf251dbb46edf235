"""`codex checkpoint`: which checkpoints there are, and whether every byte of them is what was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.checkpoint import Skipped, Summary, list_checkpoints, summarize
from codex.checkpoint import verify as check
from codex.cli.command import Commands
from codex.cli.output import Output, table
from codex.errors import DamageError, DataError, MissingDataError

__all__ = ["commands"]

commands = Commands("List checkpoints and verify them.")

_Place = Annotated[
    Path, typer.Argument(metavar="PATH", help="A checkpoint, a folder of them, a run, or the name of a run.")
]


@commands.command("list")
def list_(out: Output, path: _Place) -> None:
    """List checkpoints, newest first: manifests and sizes are checked, tensors are not read.

    Args:
        path: where they are; exit 4 if one of them does not open.
    """
    _report(out, "checkpoint_list", *_find(path))


@commands.command()
def verify(out: Output, path: _Place) -> None:
    """Read every byte of one checkpoint, or of all in a folder, and compare it with what was saved.

    Args:
        path: where they are; exit 4 if one of them is damaged.
    """
    good = []
    opened, damaged = _find(path)
    for done, each in enumerate(opened):
        out.step("verify", done, len(opened), note=each.path.name)
        try:
            good.append(check(each.path))
        except DamageError as error:
            damaged.append(Skipped(each.path, str(error)))
    _report(out, "checkpoint_verify", good, damaged)


def _find(path: Path) -> tuple[list[Summary], list[Skipped]]:
    """The checkpoint that `path` is, or those it holds, and those that do not open."""
    place = path
    if not path.exists() and (Path("runs") / path).is_dir():
        place = Path("runs") / path
    if not place.exists():
        raise MissingDataError(f"no checkpoint, run or folder is at `{path}`")
    if not place.is_dir():
        raise DataError(f"`{path}` is a file, expected the folder of a checkpoint")
    if place.name.startswith("step-") or (place / "manifest.json").exists():
        return _open(place)
    if (place / "checkpoints").is_dir():
        place = place / "checkpoints"
    listing = list_checkpoints(place)
    if not listing.checkpoints and not listing.unreadable:
        raise MissingDataError(f"`{path}` holds no checkpoint")
    return listing.checkpoints, listing.unreadable


def _open(path: Path) -> tuple[list[Summary], list[Skipped]]:
    try:
        return [summarize(path)], []
    except DamageError as error:
        return [], [Skipped(path, str(error))]


def _report(out: Output, kind: str, good: list[Summary], damaged: list[Skipped]) -> None:
    """Print both; bad news is exit 4."""
    lines = table(["step", "size", "tensors", "held-out bits/byte", "path"], map(_row, good)) if good else []
    facts: dict[str, Any] = {
        "checkpoints": [vars(each) for each in good],
        "damaged": [each._asdict() for each in damaged],
    }
    out.result(kind, facts, text=lines)
    for each in damaged:
        out.warn(each.reason)
    if damaged:
        raise typer.Exit(DamageError.exit_code)


def _row(summary: Summary) -> tuple[object, ...]:
    held_out = "-" if summary.held_out is None else summary.held_out
    return summary.step, _size(summary.bytes), summary.tensors, held_out, summary.path


def _size(count: float) -> str:
    """A number of bytes as people say it: `1.4 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "bytes" else f"{count} bytes"
        count /= 1000
    return f"{count:.1f} GB"
