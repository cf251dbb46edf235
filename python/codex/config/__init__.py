"""The configuration of a run: one schema, one strict loader, and where every value came from.

`load` is the function to start from; `schema.Config` shows a whole run on one page.
"""

from __future__ import annotations

from codex.config.dump import dump_yaml
from codex.config.explain import Explanation, explain, json_schema
from codex.config.faults import Fault, Origin, config_error
from codex.config.find import packaged_names
from codex.config.load import LoadedConfig, examine, load
from codex.config.schema import Config

__all__ = [
    "Config",
    "Explanation",
    "Fault",
    "LoadedConfig",
    "Origin",
    "config_error",
    "dump_yaml",
    "examine",
    "explain",
    "json_schema",
    "load",
    "packaged_names",
]
