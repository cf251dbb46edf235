"""Dropout: drawn from torch's generator while training, absent otherwise, and a model without it has none at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from codex.config.schema import Model
from codex.models import build
from codex.models.causal import CausalModel
from codex.models.names import transformers_config
from tests.models.conftest import VOCABULARY, shaken

Tokens = Callable[[int, int], torch.Tensor]
SIZES = {"width": 32, "layers": 2, "heads": 2, "key_value_heads": 2, "context": 24, "feed_forward_width": 48}
RATE = 0.25


@pytest.fixture
def dropped() -> CausalModel:
    return shaken(Model(**SIZES, dropout=RATE))


def test_the_generator_decides_what_is_left_out(dropped: CausalModel, tokens: Tokens) -> None:
    text = tokens(2, 20)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, second = dropped(text), dropped(text)
    assert not torch.equal(first, second)
    torch.set_rng_state(before)
    assert torch.equal(dropped(text), first)
    assert torch.equal(dropped(text), second), "each pass takes up where the last one left the generator"


def test_both_branches_of_each_layer_lose_the_asked_share(dropped: CausalModel, tokens: Tokens) -> None:
    losses: list[float] = []

    def count(_: nn.Module, given: tuple[torch.Tensor], kept: torch.Tensor) -> None:
        torch.testing.assert_close(kept[kept != 0], given[0][kept != 0] / (1 - RATE))
        losses.append((kept == 0).double().mean().item())

    for layer in dropped.model.layers:
        layer.dropout.register_forward_hook(count)
    torch.manual_seed(2)
    dropped(tokens(16, 24))
    assert len(losses) == 4 and losses == pytest.approx([RATE] * 4, abs=0.03)


def test_evaluation_and_the_weights_do_not_know_of_it(dropped: CausalModel, tokens: Tokens) -> None:
    plain = shaken(Model(**SIZES))
    text = tokens(2, 20)
    assert torch.equal(dropped.eval()(text), plain(text))
    assert list(dropped.state_dict()) == list(plain.state_dict())
    assert transformers_config(dropped.config, VOCABULARY, 0) == transformers_config(
        plain.config, VOCABULARY, 0
    )


def test_at_zero_there_is_nothing_to_draw(tokens: Tokens) -> None:
    model = build(Model(**SIZES), VOCABULARY)
    assert not any(isinstance(part, nn.Dropout) for part in model.modules())
    before = torch.get_rng_state()
    model(tokens(2, 20))
    assert torch.equal(torch.get_rng_state(), before)
