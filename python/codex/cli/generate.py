"""`codex generate`: continue a text with a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.cli.command import Commands, ConfigName, Overrides
from codex.cli.output import Output
from codex.config import Config, LoadedConfig, load
from codex.errors import MissingDataError
from codex.track.run import find_runs

__all__ = ["From", "Seed", "commands", "newest_run"]

commands = Commands()

From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="DIR", help="A checkpoint, or a run; without it the newest run.", show_default=False
    ),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="The same as run.seed=N.", show_default=False)
]


def newest_run(loaded: LoadedConfig) -> Path:
    """The newest run of the configuration's name.

    Raises:
        MissingDataError: if there is none.
    """
    config: Config = loaded.config
    name = loaded.run_name
    runs = find_runs(Path(config.run.directory), name)
    if not runs:
        raise MissingDataError(
            f"no run `{name}` in `{config.run.directory}`",
            hint="`codex train` makes one, `--from DIR` names another",
        )
    return runs[-1]


@commands.command()
def generate(
    out: Output,
    prompt: Annotated[
        str | None,
        typer.Option("--prompt", metavar="TEXT", help="What the text starts with.", show_default=False),
    ] = None,
    from_: From = None,
    config: ConfigName = None,
    seed: Seed = None,
    overrides: Overrides = None,
) -> None:
    """Continue a text with a trained model.

    Prompt and continuation go to stdout. The model and its tokenizer come from a checkpoint, how to choose the tokens from
    the section `generate`.
    """
    loaded = load(config, [*(overrides or ()), *([] if seed is None else [f"run.seed={seed}"])])
    settings = loaded.config.generate
    text = settings.prompt if prompt is None else prompt
    path = newest_run(loaded) if from_ is None else from_

    from codex.generate import LanguageModel

    model, checkpoint, state = LanguageModel.open(path)
    out.say(f"checkpoint {checkpoint}")
    if out.is_json:
        made = model.continue_text(text, settings, seed=loaded.config.run.seed)
        out.result(
            "generate",
            {
                "checkpoint": checkpoint,
                "step": state["step"],
                "seed": loaded.config.run.seed,
                "prompt": made.prompt,
                "text": made.text,
                "tokens": made.tokens,
                "is_ended": made.is_ended,
            },
        )
        return
    out.raw(text.encode("utf-8", "surrogateescape"))
    for piece in model.write(text, settings, seed=loaded.config.run.seed):
        out.raw(piece)
    out.raw(b"\n")
