"""`codex data`: what there is (`corpora`), raw files to token shards (`prepare`), what came of them (`inspect`, `verify`)."""

from __future__ import annotations

# In the order of the help.
from codex.cli.data import corpora, prepare, inspect, verify  # isort: skip
from codex.cli.data.place import commands

__all__ = ["commands", "corpora", "inspect", "prepare", "verify"]
