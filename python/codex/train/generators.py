"""The global random generators of Python, NumPy and torch: seeded together, kept and put back together.

Dropout draws from torch's. Nothing of ours draws from the other two; a library that is called while training may.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["generator_state", "restore_generators", "seed_generators"]


def seed_generators(seed: int) -> None:
    """Put all of them at the start that belongs to `seed`."""
    random.seed(seed)
    np.random.seed(np.random.SeedSequence(seed).generate_state(8))
    torch.manual_seed(seed)


def generator_state(device: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Where the generators are, as plain values and as tensors.

    Args:
        device: `cpu` or `cuda`; the generator of the GPU in use is kept only where it is one.
    """
    version, words, python_gauss = random.getstate()
    numpy: Any = np.random.get_state(legacy=False)
    plain = {
        "python": {"version": version, "gauss": python_gauss},
        "numpy": {
            "position": int(numpy["state"]["pos"]),
            "gauss": float(numpy["gauss"]) if numpy["has_gauss"] else None,
        },
    }
    tensors = {
        "random.python": torch.from_numpy(np.array(words, dtype=np.uint32)),
        "random.numpy": torch.from_numpy(numpy["state"]["key"].copy()),
        "random.cpu": torch.get_rng_state(),
    }
    if device == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    return plain, tensors


def restore_generators(plain: Mapping[str, Any] | None, tensors: Mapping[str, Tensor]) -> None:
    """Put the generators where `generator_state` found them; that of a GPU only if there is one.

    Args:
        plain, tensors: what `generator_state` gave; plain is None if those of Python and NumPy were not kept.
    Raises:
        KeyError: if a part is missing.
    """
    if plain is not None:
        python, numpy = plain["python"], plain["numpy"]
        random.setstate((python["version"], tuple(tensors["random.python"].tolist()), python["gauss"]))
        state = {
            "bit_generator": "MT19937",
            "state": {"key": tensors["random.numpy"].numpy(), "pos": numpy["position"]},
            "has_gauss": int(numpy["gauss"] is not None),
            "gauss": numpy["gauss"] or 0.0,
        }
        np.random.set_state(state)
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
