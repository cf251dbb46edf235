"""Small models of every shape that is supported."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from codex.config.schema import Model
from codex.models import build
from codex.models.causal import CausalModel

VOCABULARY = 300
SHAPES = {
    "default": {},
    "grouped": {"heads": 4, "key_value_heads": 2},
    "one key-value head": {"heads": 4, "key_value_heads": 1},
    "untied": {"tie_embeddings": False},
    "without QK-norm": {"qk_norm": False},
    "grouped, untied, without QK-norm": {
        "heads": 4,
        "key_value_heads": 2,
        "tie_embeddings": False,
        "qk_norm": False,
    },
    "gpt2": {"name": "gpt2", "qk_norm": False, "norm_epsilon": 1e-5},
    "untied gpt2": {"name": "gpt2", "qk_norm": False, "tie_embeddings": False},
}


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def config(request: pytest.FixtureRequest) -> Model:
    sizes = {
        "width": 32,
        "layers": 2,
        "heads": 2,
        "key_value_heads": 2,
        "context": 24,
        "feed_forward_width": 48,
    }
    return Model(**{**sizes, **request.param})


@pytest.fixture
def model(config: Model) -> CausalModel:
    return shaken(config)


@pytest.fixture
def tokens() -> Callable[[int, int], torch.Tensor]:
    def draw(rows: int, length: int) -> torch.Tensor:
        return torch.randint(
            VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(rows * length)
        )

    return draw


def shaken(config: Model) -> CausalModel:
    """A model whose norms are not all ones, so that a forgotten weight shows."""
    torch.manual_seed(3)
    model = build(config, VOCABULARY)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model
