"""Bits per byte: every token once, whatever the stride; the figures of a model whose cost is known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codex.config.schema import Model
from codex.errors import DataError
from codex.evaluate import HeldOut, bits_per_byte
from codex.evaluate.windows import windows
from codex.models import build
from codex.models.causal import CausalModel

SMALL = Model(width=16, layers=1, heads=2, key_value_heads=2, context=8, feed_forward_width=16)
MODELS = [SMALL, SMALL.model_copy(update={"name": "gpt2", "key_value_heads": 2, "qk_norm": False})]


@given(st.integers(0, 400), st.integers(1, 40), st.data())
def test_every_token_is_scored_once_with_the_context_it_is_owed(
    tokens: int, context: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, context))
    scored = []
    for window in windows(tokens, context, stride):
        assert 0 <= window.start < window.stop <= tokens and window.stop - window.start <= context
        for place in range(window.start + window.skip, window.stop):
            scored.append(place)
            assert place - window.start >= min(place, context - stride), (
                "fewer tokens before it than promised"
            )
    assert scored == list(range(tokens))


def _held_out(tokens: list[int], vocabulary: int = 50) -> HeldOut:
    sizes = np.arange(vocabulary) % 5 + 1
    sizes[0] = 0
    return HeldOut(np.array(tokens, dtype=np.int64), sizes, 0, tokens.count(0))


def _text(length: int) -> HeldOut:
    draw = np.random.default_rng(length)
    return _held_out(draw.integers(0, 50, length).tolist())


@pytest.fixture(params=MODELS, ids=lambda shape: shape.name)
def model(request: pytest.FixtureRequest) -> CausalModel:
    torch.manual_seed(1)
    model = build(request.param, 50)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)  # no block is the identity: the context matters
    return model


@pytest.mark.parametrize("stride", [1, 3, 8])
@pytest.mark.parametrize("length", [1, 7, 8, 9, 64, 333])
def test_it_is_the_cost_of_each_token_in_its_window(model: CausalModel, length: int, stride: int) -> None:
    text = _text(length)
    stream = torch.tensor([0, *text.tokens.tolist()])
    expected = 0.0
    with torch.no_grad():
        for window in windows(length, 8, stride):
            logits = model(stream[None, window.start : window.stop])[0].double()
            costs = torch.nn.functional.cross_entropy(
                logits, stream[window.start + 1 : window.stop + 1], reduction="none"
            )
            expected += costs[window.skip :].sum().item() / math.log(2)
    bits = bits_per_byte(model, text, stride=stride)
    assert bits.bits == pytest.approx(expected, rel=1e-5)
    assert (bits.tokens, bits.bytes) == (length, text.bytes)
    assert bits.per_byte == bits.bits / text.bytes and bits.per_token == bits.bits / length


@pytest.mark.parametrize("stride", [1, 4])
def test_documents_apart_cost_what_each_costs_alone(model: CausalModel, stride: int) -> None:
    documents = [
        [7, 3, 0],
        [5, 0],
        [9, 4, 4, 0],
        [2, 0],
        [8, 1],
    ]  # so short that each window shows their start
    together = _held_out([token for document in documents for token in document])
    alone = sum(bits_per_byte(model, _held_out(document), stride=8).bits for document in documents)
    assert bits_per_byte(model, together, stride=stride, documents_apart=True).bits == pytest.approx(alone)
    assert bits_per_byte(model, together, stride=stride).bits != pytest.approx(alone, rel=1e-3)


def test_a_model_that_knows_nothing_costs_the_logarithm_of_the_vocabulary(model: CausalModel) -> None:
    with torch.no_grad():
        model.embedding.weight.zero_()
    text = _text(100)
    bits = bits_per_byte(model, text, stride=4)
    assert bits.per_token == pytest.approx(math.log2(50), rel=1e-6)
    assert bits.per_byte == pytest.approx(100 * math.log2(50) / text.bytes, rel=1e-6)


def test_ends_of_documents_are_paid_for_and_stand_for_no_byte() -> None:
    with_ends, without = _held_out([7, 0, 8, 0]), _held_out([7, 8])
    assert with_ends.bytes == without.bytes == 3 + 4
    assert with_ends.documents == 2
    torch.manual_seed(0)
    model = build(SMALL, 50)
    assert bits_per_byte(model, with_ends, stride=4).bits > bits_per_byte(model, without, stride=4).bits


def test_the_first_tokens_are_a_text_of_their_own() -> None:
    text = _held_out([7, 0, 8, 9, 0, 3])
    first = text.first(3)
    assert (first.tokens.tolist(), first.bytes, first.documents) == ([7, 0, 8], 3 + 4, 1)
    assert text.first(100).tokens.tolist() == text.tokens.tolist()


def test_a_text_without_bytes_is_refused(model: CausalModel) -> None:
    with pytest.raises(DataError, match="0 bytes"):
        bits_per_byte(model, _held_out([0, 0]), stride=2)


def test_memory_does_not_grow_with_the_text(model: CausalModel) -> None:
    """The longest forward pass is a handful of windows, not the text; progress is told in order up to the end."""
    seen: list[int] = []
    loss = model.summed_loss

    def watched(tokens: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(tokens.numel())
        return loss(tokens, *rest)

    model.summed_loss = watched  # type: ignore[method-assign]
    told: list[tuple[int, int]] = []
    progress = SimpleNamespace(step=lambda stage, done, total: told.append((done, total)))
    bits_per_byte(model, _text(40_000), stride=8, progress=progress)
    assert max(seen) <= 4096
    assert told[-1] == (40_000, 40_000) and [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_model_is_left_in_the_mode_it_was_in(model: CausalModel) -> None:
    model.train()
    bits_per_byte(model, _text(10), stride=8)
    assert model.training
