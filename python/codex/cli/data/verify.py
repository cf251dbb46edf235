"""`codex data verify`: whether prepared data is what it was."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.cli.data.place import commands
from codex.cli.output import Output
from codex.data.store import cache_folder
from codex.data.verify import Report
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
    raw: Annotated[
        list[str] | None,
        typer.Option(
            "--raw",
            metavar="PLACE",
            help="Where the raw files are now (repeatable); without it, where they were read.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check every byte of prepared data, and derive it again: records from raw files, splits from records, texts from shards."""
    where = folder or cache_folder()
    report = verify_folder(where, out, raw=raw or ())
    found = [*report.problems, *report.differences]
    lines = [f"{problem.path}: {problem.part}: {problem.reason}" for problem in found]
    lines += [f"not compared: {line}" for line in report.unchecked]
    lines += [f"{derived}: its raw files give the same" for derived in report.derived]
    lines.append(f"{len(report.checked)} folders in {where}: {_verdict(report)}")
    out.result("data.verify", {"folder": where, **report.as_dict()}, text=lines)
    if found:
        raise typer.Exit(4 if report.problems else 1)


def _verdict(report: Report) -> str:
    if not (report.problems or report.differences):
        return "all is as it was written"
    counts = {"problems": len(report.problems), "raw files that differ": len(report.differences)}
    return ", ".join(f"{what}: {count}" for what, count in counts.items() if count)
