"""The state of a checkpoint as an older codex wrote it, in the form this one reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["upgraded"]


def upgraded(state: Mapping[str, Any]) -> dict[str, Any]:
    """`state` of schema version 1 as version 2 has it; any other as it is.

    Version 1 kept the digest of the shards by itself, the best measurement without its name, and neither Python's nor
    NumPy's generator, from which it did not draw: `random` is None then.
    """
    if "shards" not in state or "data" in state:
        return dict(state)
    history, config = state["history"], state["config"]
    best = None
    if history["best"] is not None:
        best = {
            "metric": "held_out_bits_per_byte",
            "direction": "lowest",
            "value": history["best"],
            "step": history["best_step"],
        }
    return {
        **{name: value for name, value in state.items() if name != "shards"},
        "history": {"tokens": history["tokens"], "best": best},
        "data": {
            "epoch": None,
            "index": state["step"],
            "seed": config["run"]["seed"],
            "shards": state["shards"],
        },
        "random": None,
        "config_digest": None,
        "world_size": 1,
    }
