"""`codex checkpoint`: what there is and whether it holds (`look`), out and in (`move`), what stays (`retain`)."""

from __future__ import annotations

from codex.cli.checkpoint import look, move, retain
from codex.cli.checkpoint.place import commands

__all__ = ["commands", "look", "move", "retain"]
