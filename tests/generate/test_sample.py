"""Sampling: what may be chosen, how often, and that a cache changes nothing."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from codex.config.schema import Model
from codex.errors import UsageError
from codex.generate import choose, sample
from codex.models import build
from codex.models.causal import CausalModel

SMALL = Model(width=16, layers=2, heads=2, key_value_heads=1, context=16, feed_forward_width=16)
MODELS = [SMALL, SMALL.model_copy(update={"name": "gpt2", "key_value_heads": 2, "qk_norm": False})]


@pytest.fixture(params=MODELS, ids=lambda shape: shape.name)
def model(request: pytest.FixtureRequest) -> CausalModel:
    torch.manual_seed(1)
    model = build(request.param, 60).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)  # no block is the identity: the context matters
    return model


def _choices(logits: list[float], count: int = 4000, **settings: object) -> Counter[int]:
    keys = {"temperature": 1.0, "top_k": None, "top_p": 1.0, **settings}
    generator = torch.Generator().manual_seed(0)
    return Counter(choose(torch.tensor(logits), generator=generator, **keys) for _ in range(count))


def test_frequencies_are_the_softmax() -> None:
    logits = [1.0, 0.0, -1.0, 2.0]
    for temperature in (0.5, 1.0, 2.0):
        counts = _choices(logits, temperature=temperature)
        wanted = (torch.tensor(logits) / temperature).softmax(0).tolist()
        for token, share in enumerate(wanted):
            assert counts[token] / 4000 == pytest.approx(share, abs=0.03)


def test_zero_temperature_takes_the_likeliest() -> None:
    assert _choices([0.1, 3.0, 2.9], count=20, temperature=0) == {1: 20}


@pytest.mark.parametrize(("top_k", "kept"), [(1, {3}), (2, {3, 0}), (3, {3, 0, 1}), (99, {3, 0, 1, 2})])
def test_top_k_keeps_the_likeliest(top_k: int, kept: set[int]) -> None:
    assert set(_choices([1.0, 0.0, -1.0, 2.0], top_k=top_k)) == kept


@pytest.mark.parametrize(
    ("top_p", "kept"), [(1e-9, {3}), (0.5, {3}), (0.69, {3, 0}), (0.92, {3, 0, 1}), (1.0, {3, 0, 1, 2})]
)
def test_top_p_keeps_the_fewest_that_reach_it(top_p: float, kept: set[int]) -> None:
    logits = torch.tensor([0.25, 0.08, 0.02, 0.65]).log().tolist()
    assert set(_choices(logits, top_p=top_p)) == kept


@pytest.mark.parametrize("prompt_length", [1, 5, 15, 16, 17, 40])
def test_the_cache_changes_no_token(model: CausalModel, prompt_length: int) -> None:
    """Greedy, step by step without a cache, over the window that the cache would hold."""
    prompt = [number % 60 for number in range(3, 3 + prompt_length)]
    text, seen = list(prompt), None
    expected = []
    for _ in range(40):
        if seen is None or seen > model.context:
            seen = len(text) if len(text) < model.context else model.context // 2
        logits = model(torch.tensor([text[-seen:]]))[0, -1]
        expected.append(int(logits.argmax()))
        text.append(expected[-1])
        seen += 1
    assert list(sample(model, prompt, max_tokens=40, temperature=0)) == expected


def test_equal_seeds_give_equal_texts(model: CausalModel) -> None:
    texts = [list(sample(model, [1], max_tokens=30, seed=seed)) for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 30


def test_it_draws_from_no_other_generator(model: CausalModel) -> None:
    before = torch.get_rng_state()
    list(sample(model, [1], max_tokens=5))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_stop_token_ends_it_and_is_not_part_of_it(model: CausalModel) -> None:
    free = list(sample(model, [1], max_tokens=30, seed=2))
    stop = free[9]
    assert list(sample(model, [1], max_tokens=30, seed=2, stop_id=stop)) == free[: free.index(stop)]


def test_an_empty_prompt_is_refused(model: CausalModel) -> None:
    with pytest.raises(UsageError, match="0 tokens"):
        next(sample(model, [], max_tokens=1))
