"""One update: the same for any cut into micro-batches, clipped, and it learns."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from codex.config import Config
from codex.data.load import TokenBatches
from codex.data.prepare import prepare
from codex.models import build
from codex.train.adamw import AdamW
from codex.train.clock import Clock
from codex.train.learner import Learner
from codex.train.machine import Machine
from codex.train.optimizer import build_optimizer
from tests.train.tiny import Settings

CPU = Machine("cpu", "fp32", 1, "any")
DOCUMENT_START = 0  # `<|endoftext|>` of every tokenizer that is learned here


@pytest.fixture
def shards(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(settings().config, cache=tmp_path_factory.getbasetemp() / "cache").shards


def _learner(config: Config, shards: Path, machine: Machine = CPU) -> Learner:
    sizes = config.train
    rows = sizes.micro_batch_size * sizes.accumulate_steps
    batches = TokenBatches(shards, "train", row_tokens=config.model.context + 1, batch_rows=rows, seed=0)
    torch.manual_seed(0)
    model = build(config.model, 300)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)  # no block is the identity
    return Learner(model, build_optimizer(model, sizes), batches, sizes, DOCUMENT_START, machine, Clock())


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_one_batch_of_eight_equals_eight_batches_of_one(
    settings: Settings, shards: Path, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A gradient of all but zero is rounding, which AdamW's usual epsilon lets it divide by itself.
    monkeypatch.setitem(AdamW.__init__.__kwdefaults__, "epsilon", 1e-3)
    ends = []
    for micro, accumulate in ((8, 1), (1, 8), (2, 4), (4, 2)):
        keys = {
            "train.micro_batch_size": micro,
            "train.accumulate_steps": accumulate,
            "train.optimizer": optimizer,
        }
        learner = _learner(settings(**keys).config, shards)
        losses = [learner.update(step).loss for step in range(3)]
        weights = [p.detach().flatten() for p in learner.model.parameters()]
        state = [tensor.flatten() for tensor in learner.optimizer.state_tensors().values()]
        ends.append((torch.stack(losses), torch.cat(weights), torch.cat(state)))
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], rtol=1e-6, atol=1e-6)


def test_the_loss_is_nats_per_token_before_the_update(settings: Settings, shards: Path) -> None:
    learner = _learner(settings().config, shards)
    rows = torch.from_numpy(learner.batches[0].tokens)
    with torch.no_grad():
        logits = learner.model(rows[:, :-1]).flatten(0, 1)
    expected = torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten())
    update = learner.update(0)
    torch.testing.assert_close(update.loss, expected)
    assert update.tokens == 4 * 16 and update.epoch == 0


def test_the_z_loss_is_learned_from_and_not_reported(settings: Settings, shards: Path) -> None:
    plain = _learner(settings().config, shards)
    learner = _learner(settings(**{"train.z_loss": 0.01}).config, shards)
    rows = torch.from_numpy(learner.batches[0].tokens)
    logits = learner.model(rows[:, :-1]).flatten(0, 1)
    total = torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten())
    total = total + 0.01 * logits.logsumexp(dim=1).square().mean()
    wanted = torch.autograd.grad(total, list(learner.model.parameters()))
    update = learner.update(0)
    torch.testing.assert_close(update.loss, plain.update(0).loss)
    norm = torch.nn.utils.get_total_norm(wanted)
    torch.testing.assert_close(update.gradient_norm, norm, rtol=1e-4, atol=1e-6)


def test_packed_documents_are_learned_as_if_each_were_alone(settings: Settings, shards: Path) -> None:
    learner = _learner(settings(**{"train.packing": "documents", "model.context": 512}).config, shards)
    rows = torch.from_numpy(learner.batches[0].tokens)
    alone: list[torch.Tensor] = []
    with torch.no_grad():
        for row in rows:
            borders = (row[1:-1] == DOCUMENT_START).nonzero().flatten().add(1).tolist()
            for start, stop in pairwise([0, *borders, len(row) - 1]):
                text = row[None, start : stop + 1]
                alone.append(learner.model.summed_loss(text[:, :-1], text[:, 1:]))
    assert len(alone) > len(rows), "no document ends within a row, so nothing was tried"
    torch.testing.assert_close(learner.update(0).loss, torch.stack(alone).sum() / (4 * 512))


def test_a_large_gradient_is_scaled_down_and_reported_as_it_was(settings: Settings, shards: Path) -> None:
    free = _learner(settings(**{"train.gradient_clip": "null"}).config, shards).update(0)
    seen = []

    class Watch:
        def __init__(self, learner: Learner) -> None:
            self._learner = learner

        def step(self, step: int, factor: float) -> None:
            gradients = [p.grad for p in self._learner.model.parameters() if p.grad is not None]
            seen.append(torch.nn.utils.get_total_norm(gradients).item())

    learner = _learner(settings(**{"train.gradient_clip": 0.01}).config, shards)
    learner.optimizer = Watch(learner)  # type: ignore[assignment]
    clipped = learner.update(0)
    assert clipped.gradient_norm == free.gradient_norm > 0.01
    assert seen == pytest.approx([0.01], rel=1e-3)


def test_it_learns(settings: Settings, shards: Path) -> None:
    learner = _learner(settings(**{"train.max_steps": 60}).config, shards)
    losses = [learner.update(step).loss.item() for step in range(60)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_bf16_is_near_fp32(settings: Settings, shards: Path) -> None:
    config = settings().config
    fp32 = _learner(config, shards).update(0).loss
    bf16 = _learner(config, shards, Machine("cpu", "bf16", 1, "any")).update(0).loss
    assert bf16 != fp32
    torch.testing.assert_close(bf16, fp32, rtol=1e-2, atol=0)
