"""`codex tokenizer`: learn one (`train`), text to ids and back (`convert`), look into it (`inspect`), and the rest by name."""

from __future__ import annotations

# In the order of the help.
from codex.cli.tokenizer import train, convert, inspect, export, compare, verify  # isort: skip
from codex.cli.tokenizer.place import commands

__all__ = ["commands", "compare", "convert", "export", "inspect", "train", "verify"]
