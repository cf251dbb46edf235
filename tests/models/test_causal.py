"""The decoder: what it sees, what it scores, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from codex.config.schema import Model
from codex.errors import RegistryError, ShapeError
from codex.kernels import dispatch
from codex.kernels.attention.documents import Documents
from codex.models import build
from codex.models.cache import Cache
from codex.models.causal import CausalModel
from codex.models.names import head_and_embedding

Tokens = Callable[[int, int], torch.Tensor]


@pytest.mark.parametrize("length", [1, 7, 23, 24])
def test_a_token_sees_nothing_after_it(model: CausalModel, tokens: Tokens, length: int) -> None:
    text = tokens(2, length)
    whole = model(text)
    for end in range(1, length):
        torch.testing.assert_close(model(text[:, :end]), whole[:, :end], rtol=1e-5, atol=1e-5)


def test_every_earlier_token_is_seen(model: CausalModel, tokens: Tokens) -> None:
    text = tokens(1, 12)
    last = model(text)[0, -1]
    for place in range(11):
        changed = text.clone()
        changed[0, place] = (changed[0, place] + 1) % model.vocabulary_size
        assert not torch.allclose(model(changed)[0, -1], last, atol=1e-6), (
            f"token {place} makes no difference"
        )


def test_order_of_earlier_tokens_matters(model: CausalModel) -> None:
    one, other = torch.tensor([[5, 9, 17, 3]]), torch.tensor([[9, 5, 17, 3]])
    assert not torch.allclose(model(one)[0, -1], model(other)[0, -1], atol=1e-5)


@pytest.mark.parametrize("pieces", [[1] * 20, [7, 1, 1, 11], [20]])
def test_a_cache_changes_no_logit(model: CausalModel, tokens: Tokens, pieces: list[int]) -> None:
    text = tokens(2, 20)
    cache = Cache(model.config.layers)
    parts = [model(part, cache) for part in text.split(pieces, dim=1)]
    assert cache.length == 20
    torch.testing.assert_close(torch.cat(parts, dim=1), model(text), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.next_logits(text), model(text)[:, -1])


@pytest.mark.parametrize("skip", [0, 1, 13])
def test_the_loss_is_the_cross_entropy_of_the_logits(model: CausalModel, tokens: Tokens, skip: int) -> None:
    text = tokens(3, 15)
    inputs, targets = text[:, :-1], text[:, 1:]
    expected = F.cross_entropy(
        model(inputs)[:, skip:].flatten(0, 1), targets[:, skip:].flatten(), reduction="sum"
    )
    torch.testing.assert_close(model.summed_loss(inputs, targets, skip), expected)


def test_reference_kernels_give_the_same_loss_and_gradients(model: CausalModel, tokens: Tokens) -> None:
    text = tokens(3, 24)

    def loss_and_gradients() -> list[torch.Tensor]:
        model.zero_grad(set_to_none=True)
        loss = model.summed_loss(text[:, :-1], text[:, 1:])
        loss.backward()
        return [loss.detach(), *(p.grad.clone() for p in model.parameters() if p.grad is not None)]

    fast = loss_and_gradients()
    with dispatch.reference():
        slow = loss_and_gradients()
    assert len(fast) == len(slow) == 1 + len(list(model.parameters()))
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("reference", [False, True])
def test_between_packed_documents_nothing_flows(model: CausalModel, tokens: Tokens, reference: bool) -> None:
    text = tokens(2, 24) % 299 + 1
    text[0, [5, 6, 17]] = 0  # what starts a document; the one between 5 and 6 is empty
    documents = Documents(text == 0)
    embedded: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, _inputs: object, out: torch.Tensor) -> torch.Tensor:
        embedded.append(out.detach().requires_grad_())
        return embedded[-1]

    model.embedding.register_forward_hook(keep)
    for start, stop in ((0, 5), (5, 6), (6, 17), (17, 24)):
        with dispatch.reference() if reference else nullcontext():
            whole = model._hidden(text, None, documents)
            alone = model._hidden(text[:1, start:stop], None)
        torch.testing.assert_close(whole[:1, start:stop], alone, rtol=1e-4, atol=1e-5)
        [gradient] = torch.autograd.grad(whole[0, start:stop].square().sum(), embedded[-2])
        assert gradient[0, start:stop].abs().sum() > 0
        gradient[0, start:stop] = 0
        assert not gradient.any(), f"positions outside of {start}..{stop} are seen"


def test_equal_seeds_give_equal_weights(config: Model) -> None:
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(build(config, 300).state_dict())
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    assert not torch.equal(*(model[head_and_embedding(config)[1]] for model in (models[0], models[2])))


def test_a_fresh_llama_block_adds_nothing_so_the_first_logits_are_the_embeddings_own() -> None:
    torch.manual_seed(1)
    config = Model(width=32, layers=2, context=24)
    model = build(config, 300)
    seen = torch.arange(24)[None] % 300
    alone = torch.nn.functional.linear(model.model.norm(model.model.embed_tokens(seen)), model.head_weight)
    assert torch.equal(model(seen), alone)


def test_more_than_the_context_is_refused(model: CausalModel, tokens: Tokens) -> None:
    with pytest.raises(ShapeError, match=r"position 25, expected at most `model\.context` = 24"):
        model(tokens(1, 25))
    cache = Cache(model.config.layers)
    model(tokens(1, 24), cache)
    with pytest.raises(ShapeError, match="position 25"):
        model(tokens(1, 1), cache)


@pytest.mark.parametrize(
    ("sizes", "key"),
    [
        ({"width": 30, "heads": 4, "key_value_heads": 4}, "model.width"),
        ({"width": 12, "heads": 4, "key_value_heads": 4}, "model.width"),
        ({"width": 32, "heads": 4, "key_value_heads": 3}, "model.key_value_heads"),
    ],
)
def test_heads_that_do_not_fit_are_refused(sizes: dict[str, int], key: str) -> None:
    values = {**Model().model_dump(), **sizes}
    with pytest.raises(ShapeError, match=key):
        build(SimpleNamespace(**values), 300)


def test_an_unknown_architecture_names_the_known_ones() -> None:
    with pytest.raises(RegistryError, match="`llama`"):
        build(Model(name="lama"), 300)
