"""What the commands of `codex data` share: the group, and the words that are places or keys."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated

import typer

from codex.cli.command import Commands, overrides_or
from codex.config import load
from codex.config.keys import leaves
from codex.config.schema import Config

__all__ = ["CorpusName", "FolderAndKeys", "PlacesAndKeys", "commands", "config_of", "divided"]

commands = Commands("Raw files to records, splits and token shards.")

CorpusName = Annotated[
    str | None,
    typer.Option(
        "--corpus", metavar="NAME", help="What to read; `codex data list` shows them.", show_default=False
    ),
]
PlacesAndKeys = Annotated[
    list[str] | None,
    overrides_or("PLACE", "A file, folder or address to read (`data.paths`)"),
]
FolderAndKeys = Annotated[
    list[str] | None,
    overrides_or(
        "DIR", "The `--out` folder of the command before: its records or splits are taken as they are"
    ),
]
_KEY = re.compile(r"(--|\+|[A-Za-z_]\w*(\.\w+)*=)")


def divided(words: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Places, and settings of keys; a place that looks like one (`a=b`) is written `./a=b`.

    >>> divided(["notes", "data.corpus=null", "s3://bucket/day=1", "--run.seed=1"])
    (['notes', 's3://bucket/day=1'], ['data.corpus=null', '--run.seed=1'])
    """
    keys = [word for word in words or () if _KEY.match(word) or word in leaves()]
    return [word for word in words or () if word not in keys], keys


def config_of(config: str | None, corpus: str | None, places: Sequence[str], keys: Sequence[str]) -> Config:
    """The configuration with the corpus and the places of the command line; a key that is set there wins over both."""
    given = []
    if corpus is not None:
        given.append(f"data.corpus={json.dumps(corpus)}")
    elif places:
        given.append("data.corpus=null")
    if places:
        given.append(f"data.paths={json.dumps(list(places))}")
    return load(config, [*given, *keys]).config
