"""The command line: `app.py` knows every command, each has a file of its own, `output.py` is its voice."""

from __future__ import annotations

__all__: list[str] = []
