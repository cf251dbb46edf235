"""`codex data verify`: whether prepared data is what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.cli.data.place import commands
from codex.cli.output import Output
from codex.data.store import cache_folder
from codex.data.verify import verify as verify_folder

__all__ = ["verify"]


@commands.command()
def verify(
    out: Output,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="Folder of prepared data; without it, the cache.", show_default=False
        ),
    ] = None,
) -> None:
    """Check every byte of prepared data: digests, ids, counts, parents; shards must decode to their texts."""
    where = folder or cache_folder()
    report = verify_folder(where, out)
    lines = [f"{problem.path}: {problem.part}: {problem.reason}" for problem in report.problems]
    lines += [f"not compared: {line}" for line in report.unchecked]
    verdict = f"problems: {len(report.problems)}" if report.problems else "all is as it was written"
    lines.append(f"{len(report.checked)} folders in {where}: {verdict}")
    out.result("data.verify", {"folder": where, **report.as_dict()}, text=lines)
    if report.problems:
        raise typer.Exit(4)
