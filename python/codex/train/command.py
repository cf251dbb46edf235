"""The command that would do what was just done, to copy into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from codex.config import LoadedConfig, packaged_names
from codex.config.dump import dump_value
from codex.config.faults import COMMAND_LINE
from codex.config.find import find
from codex.config.load import DEFAULT_NAME

__all__ = ["command_line"]


def command_line(command: str, loaded: LoadedConfig, *words: str) -> str:
    """`codex COMMAND` with the configuration of `loaded`: its file, the keys given on the command line, and `words`.

    >>> from codex.config import load
    >>> command_line("train", load("smoke", ["train.max_steps=50"]), "--resume")
    'codex train --config training/smoke train.max_steps=50 --resume'
    """
    name = _name(loaded.source)
    config = [] if name == DEFAULT_NAME else ["--config", name]
    given = [
        f"{key}={dump_value(loaded.config.value(key))}"
        for key, origin in loaded.origins.items()
        if origin == COMMAND_LINE
    ]
    return shlex.join(["codex", *command.split(), *config, *given, *words])


def _name(source: Path) -> str:
    """What to call the file on a command line: a packaged one by its name."""
    for packaged in packaged_names():
        found = find(packaged)
        if found is not None and found.path == source:
            return packaged
    return str(source)
