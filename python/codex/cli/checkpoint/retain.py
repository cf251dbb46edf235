"""`codex checkpoint prune|pin|unpin`: which checkpoints stay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.checkpoint import pin as keep
from codex.checkpoint import rotate
from codex.checkpoint import unpin as let_go
from codex.checkpoint.rotate import HELD_OUT_METRIC
from codex.cli.checkpoint.place import (
    Highest,
    Metric,
    commands,
    existing,
    find_folder,
    is_checkpoint,
)
from codex.cli.output import Output
from codex.errors import UsageError

__all__ = ["pin", "prune", "unpin"]

_One = Annotated[Path, typer.Argument(metavar="PATH", help="A checkpoint: `.../step-00001000`.")]


@commands.command()
def prune(
    out: Output,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A folder of checkpoints, a run, or the name of a run.")
    ],
    keep_last: Annotated[int, typer.Option("--keep-last", metavar="N", help="Keep the N newest.")],
    keep_best: Annotated[int, typer.Option("--keep-best", metavar="K", help="Keep the K best.")],
    keep_every: Annotated[
        int | None,
        typer.Option(
            "--keep-every", metavar="M", help="Keep those at multiples of M steps.", show_default=False
        ),
    ] = None,
    metric: Metric = HELD_OUT_METRIC,
    highest: Highest = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
) -> None:
    """Remove the checkpoints that no option keeps.

    What is pinned or cannot be read stays, and so does the newest that verifies: it is read to the last byte before anything
    goes.
    """
    folder = find_folder(path)
    rotation = rotate(
        folder,
        keep_last=keep_last,
        keep_best=keep_best,
        keep_every_steps=keep_every,
        metric=metric,
        highest=highest,
        dry_run=dry_run,
    )
    verb = "would remove" if dry_run else "removed"
    for each in rotation.skipped:
        out.warn(f"left alone: {each.reason}")
    facts = {
        "folder": folder,
        "removed": rotation.removed,
        "skipped": [each._asdict() for each in rotation.skipped],
        "dry_run": dry_run,
    }
    lines = [f"{verb} {gone}" for gone in rotation.removed] or [f"{verb} nothing"]
    out.result("checkpoint_prune", facts, text=lines)


@commands.command()
def pin(out: Output, path: _One) -> None:
    """Keep a checkpoint from every rotation and every prune.

    The pin is an empty file beside it, `step-00001000.pin`.
    """
    place = _one(path)
    out.result("checkpoint_pin", {"path": place, "pin": keep(place)}, text=f"pinned {place}")


@commands.command()
def unpin(out: Output, path: _One) -> None:
    """Give a checkpoint back to rotation."""
    place = _one(path)
    was_pinned = let_go(place)
    text = f"unpinned {place}" if was_pinned else f"{place} was not pinned"
    out.result("checkpoint_unpin", {"path": place, "was_pinned": was_pinned}, text=text)


def _one(path: Path) -> Path:
    place = existing(path)
    if not is_checkpoint(place):
        raise UsageError(
            f"`{path}` is not one checkpoint", hint="name one, such as `runs/base/checkpoints/step-00000100`"
        )
    return place
