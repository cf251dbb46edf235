"""Architectures, by name: `build` turns `config.model` and a vocabulary size into a module.

Start at `llama.py`; `names.py` says what the same model is called in transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex.registry import Registry

if TYPE_CHECKING:
    from codex.models.llama import Llama, ModelConfig

__all__ = ["build", "models"]

models = Registry("model", {"llama": "codex.models.llama:Llama"})


def build(config: ModelConfig, vocabulary_size: int) -> Llama:
    """The model `config.name` asks for, its weights drawn from torch's global generator.

    Raises:
        RegistryError: if no model has that name.
        ShapeError: if the sizes do not fit together.
    """
    model: Llama = models[config.name](config, vocabulary_size)
    return model
