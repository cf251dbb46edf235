"""An adapter and the weights it was learned on become one set of weights that answers as both did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from codex.adapt.names import stored_name
from codex.errors import DamageError

__all__ = ["merge"]


@torch.no_grad()
def merge(adapter: Mapping[str, Tensor], config: Mapping[str, Any], into: Mapping[str, Tensor]) -> None:
    """Add an adapter to the weights it was learned on.

    Args:
        adapter: by the names of `adapter_model.safetensors`.
        config: the content of `adapter_config.json`.
        into: weights of the model by name; changed in place.
    Raises:
        DamageError: naming the matrix that is missing.
    """
    rank: int = config["r"]
    scale = config["lora_alpha"] / (rank**0.5 if config["use_rslora"] else rank)
    for name, low in adapter.items():
        module, is_first, _ = name.partition(".lora_A.weight")
        if not is_first:
            continue
        weight = into.get(f"{module.removeprefix(stored_name(''))}.weight")
        if weight is None:
            raise DamageError(f"`{name}` stands beside a matrix that the model has not")
        rows = weight.t() if config["fan_in_fan_out"] else weight
        rows += scale * (adapter[f"{module}.lora_B.weight"] @ low)
        if config["use_dora"]:
            rows *= (adapter[f"{module}.lora_magnitude_vector"] / rows.norm(dim=1))[:, None]
