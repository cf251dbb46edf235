"""A folder of raw bytes to a language model that can be proved, on one machine, offline.

bytes -> text -> records -> tokens -> batches -> model -> checkpoint -> report

Importing codex imports neither torch nor transformers, and turns the telemetry of every library it may import later off,
unless the user has set those switches.
"""

from __future__ import annotations

import os

__all__ = ["__version__"]

for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "WANDB_MODE": "offline",
}.items():
    os.environ.setdefault(_name, _value)


def __getattr__(name: str) -> str:
    if name == "__version__":
        from codex._core import version

        return version()
    raise AttributeError(f"module `codex` has no attribute `{name}`")
