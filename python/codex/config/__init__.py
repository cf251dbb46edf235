"""The configuration of a run: one schema, one strict loader, and where every value came from.

`load` is the function to start from; `schema.Config` shows a whole run on one page.
"""

from __future__ import annotations

from codex.config.load import LoadedConfig, load
from codex.config.schema import Config

__all__ = ["Config", "LoadedConfig", "load"]
