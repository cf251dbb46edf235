"""`codex train`: raw data to a verified checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.cli.command import Commands, ConfigName, Overrides
from codex.cli.output import Output
from codex.config import load
from codex.errors import UsageError

__all__ = ["commands"]

commands = Commands()


@commands.command()
def train(
    out: Output,
    config: ConfigName = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the newest run of this name, from its newest checkpoint."),
    ] = False,
    resume_from: Annotated[
        Path | None,
        typer.Option(
            "--resume-from",
            metavar="DIR",
            help="Go on from this checkpoint, or the newest of this run, in a fresh run.",
            show_default=False,
        ),
    ] = None,
    allow_changes: Annotated[
        bool,
        typer.Option(
            "--allow-changes", help="Go on even with keys under which the steps done would have been others."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what the run would take; read no text and write nothing.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="The same as run.seed=N.", show_default=False)
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Raw data to a verified checkpoint: prepare, train, measure, sample.

    Killed at any moment, the same command with `--resume` ends with the same bytes.
    """
    given = [*(overrides or ()), *([] if seed is None else [f"run.seed={seed}"])]
    loaded = load(config, given)

    if dry_run and (resume or resume_from or allow_changes):
        raise UsageError("`--dry-run` was given with an option of a resume, expected it by itself")
    if dry_run:
        from codex.train.plan import plan_run
        from codex.train.pretrained import adopt

        plan = plan_run(adopt(loaded).config, loaded.run_name, out)
        out.result("plan", plan.facts(), text=plan.lines())
        return

    from codex.train import train as run_training

    summary = run_training(
        loaded, resume=resume, resume_from=resume_from, allow_changes=allow_changes, progress=out
    )
    out.result("train", summary.facts(), text=summary.lines())
