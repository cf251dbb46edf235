"""Architectures, by name: `build` turns `config.model` and a vocabulary size into a module.

Start at `causal.py`, which says what a model offers; `llama.py` and `gpt2.py` are models, and `names/` says what the same
ones are called in transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from codex.registry import Registry

if TYPE_CHECKING:
    from codex.models.causal import CausalModel, ModelConfig

__all__ = ["build", "models"]

models = Registry(
    "model", {"gpt2": "codex.models.gpt2:GPT2", "llama": "codex.models.llama:Llama"}, group="codex.models"
)


def build(config: ModelConfig, vocabulary_size: int) -> CausalModel:
    """The model `config.name` asks for, its weights drawn from torch's global generator.

    Raises:
        RegistryError: if no model has that name.
        ShapeError: if the sizes do not fit together.
    """
    model: CausalModel = models[config.name](config, vocabulary_size)
    return model
