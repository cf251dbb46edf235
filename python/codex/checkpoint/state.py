"""`state.json`: plain values, refused where JSON would bring back something else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from codex.checkpoint.layout import SCHEMA_VERSION
from codex.errors import UsageError

__all__ = ["state_bytes"]


def state_bytes(step: int, state: Mapping[str, Any]) -> bytes:
    """The file for `state` after `step` steps, with `metrics` in it whether or not something was measured.

    Raises:
        UsageError: for a value that JSON would change, or a metric that is no number.

    >>> print(state_bytes(7, {"metrics": {"loss": 2.5}}).decode(), end="")
    {
     "metrics": {
      "loss": 2.5
     },
     "schema_version": 2,
     "step": 7
    }
    """
    state = {"metrics": {}, **state}
    _check_json(state, "state")
    if "schema_version" in state or state.get("step", step) != step:
        raise UsageError(f"`state` has `schema_version` or another `step` than {step}, expected neither")
    _check_metrics(state["metrics"])
    text = json.dumps({**state, "schema_version": SCHEMA_VERSION, "step": step}, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def _check_json(value: object, where: str) -> None:
    """Refuse what would come back from JSON as something else: a tuple, a number as key, NaN."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UsageError(f"a key of `{where}` is {type(key).__name__} {key!r}, expected a string")
            _check_json(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_json(item, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"`{where}` is {value}, expected a finite number", hint="store it as a string")
    elif type(value) not in (str, int, float, bool, type(None)):
        raise UsageError(
            f"`{where}` is {type(value).__name__}, expected a JSON value", hint="use lists, not tuples"
        )


def _check_metrics(metrics: object) -> None:
    if not isinstance(metrics, dict):
        raise UsageError(f"`state.metrics` is {type(metrics).__name__}, expected numbers by name")
    for name, value in metrics.items():
        if type(value) not in (int, float):
            raise UsageError(f"`state.metrics.{name}` is {value!r}, expected a number")
