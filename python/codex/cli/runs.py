"""`codex runs`: what was run, and how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.cli.output import Output, table
from codex.track.overview import describe_run, find_run
from codex.track.run import find_runs

__all__ = ["commands"]

commands = Commands("What was run, and how it went.")

Directory = Annotated[
    Path, typer.Option("--directory", metavar="DIR", help="Folder of the run folders: `run.directory`.")
]


@commands.command("list")
def list_(out: Output, directory: Directory = Path("runs")) -> None:
    """List the runs: their state, how far they are, and their best held-out bits per byte."""
    runs = [describe_run(folder) for folder in find_runs(directory)]
    rows = [
        [
            run["name"],
            run["state"],
            f"{run['step']}/{run['max_steps']}",
            _figure(run["newest"].get("train", {}).get("loss")),
            _figure(run["best_held_out_bits_per_byte"]),
            run["started"] or "-",
        ]
        for run in runs
    ]
    text = table(["run", "state", "steps", "loss", "bits/byte", "started"], rows) if rows else []
    if not rows:
        out.say(f"no runs in `{directory}`: start one with `codex train`")
    out.result("runs.list", {"directory": directory, "runs": runs}, text=text)


@commands.command()
def show(
    out: Output,
    name: Annotated[str, typer.Argument(metavar="RUN", help="Name of a run, or its folder.")],
    directory: Directory = Path("runs"),
) -> None:
    """Show one run: its state, its newest metrics, and the checkpoints it has made."""
    from codex.track.lineage import Lineage

    folder = find_run(name, directory)
    run = describe_run(folder)
    checkpoints = Lineage(folder).checkpoints
    out.result("runs.show", {**run, "checkpoints": checkpoints}, text=_lines(run, checkpoints))


def _lines(run: dict[str, Any], checkpoints: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"run: {run['name']}",
        f"folder: {run['folder']}",
        f"state: {run['state']} ({run['last_event'] or 'nothing has happened yet'})",
        f"steps: {run['step']} of {run['max_steps']}",
        f"started: {run['started'] or '-'}",
        f"config: {run['config']}",
    ]
    for split, metrics in run["newest"].items():
        measured = ", ".join(f"{name} {_figure(value)}" for name, value in metrics.items() if name != "step")
        lines.append(f"{split} at step {metrics['step']}: {measured}")
    lines.append(f"best held-out bits per byte: {_figure(run['best_held_out_bits_per_byte'])}")
    lines += [f"checkpoint: {kept['name']} {kept['digest']}" for kept in checkpoints]
    return lines


def _figure(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
