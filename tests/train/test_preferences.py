"""Runs that learn which of two answers is better: the loss is DPO's, and they are as exact as any other."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from codex.adapt import attach, learned_weights, preference_losses
from codex.config import LoadedConfig, load
from codex.errors import DataError, Interrupted
from codex.generate import LanguageModel
from codex.models.causal import CausalModel
from codex.train import train
from codex.train.clock import Clock
from codex.train.learner import Learner
from codex.train.machine import Machine
from codex.train.material import gather
from codex.train.optimizer import build_optimizer
from codex.train.pretrained import adopt
from codex.train.progress import Silent
from tests.checkpoint.trained import SHAPES, configured, drawn, save_model
from tests.train.tiny import TINY, Talk, assert_same_end

pytest.importorskip("peft", reason="needs the extra `hf`")

KEYS = {key: value for key, value in TINY.items() if not key.startswith(("model.", "tokens.", "data."))}
KEYS |= {
    "train.adam_learning_rate": "0.01",
    "run.name": "preferences",
    "generate.prompt": "spam",
    "adapt.rank": "4",
}

Start = Callable[..., LoadedConfig]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    answers = (" ham", " jam and bread")
    lines = [
        {"prompt": "eggs" * (n % 3 + 1) + str(n), "chosen": answers[0], "rejected": answers[1]}
        for n in range(40)
    ]
    (tmp_path / "pairs.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    config = configured(**SHAPES["untied"])
    base = save_model(tmp_path / "base" / "checkpoints", drawn(config), config)

    def make(where: str = "runs", **changes: object) -> LoadedConfig:
        keys = KEYS | {"data.paths": f"[{tmp_path / 'pairs.ndjson'}]", "run.directory": str(tmp_path / where)}
        keys |= {"model.pretrained": base, **changes}
        return load("preferences", [f"{key}={value}" for key, value in keys.items()])

    return make


def adapted(loaded: LoadedConfig) -> CausalModel:
    """With an adapter that has learned something."""
    config = adopt(loaded).config
    model = drawn(config)
    attach(model, config.adapt)
    with torch.no_grad():
        for tensor in learned_weights(model).values():
            tensor.add_(torch.randn_like(tensor) * 0.05)
    return model


def learner_of(loaded: LoadedConfig) -> Learner:
    config = adopt(loaded).config
    model = adapted(loaded)
    machine = Machine("cpu", "fp32", 1, "")
    optimizer = build_optimizer(model, config.train)
    return Learner(model, optimizer, gather(config, Silent()).batches, config.train, 0, machine, Clock())


def row_nats(model: CausalModel, tokens: torch.Tensor, learned: torch.Tensor) -> float:
    """-ln p of the learned tokens of one row, by the definition."""
    with torch.no_grad():
        log = model(tokens[None, :-1])[0].log_softmax(dim=1)
    return float(-log.gather(1, tokens[1:, None])[:, 0][learned].sum())


def test_the_loss_is_that_of_the_paper(start: Start) -> None:
    loaded = start(**{"train.preference_beta": 0.7})
    learner = learner_of(loaded)
    batch = learner.batches[0]
    assert batch.learned is not None and len(batch.tokens) == 2 * 4
    whole, before = learner.model, drawn(adopt(loaded).config)
    gains = [
        row_nats(before, torch.from_numpy(tokens), torch.from_numpy(learned))
        - row_nats(whole, torch.from_numpy(tokens), torch.from_numpy(learned))
        for tokens, learned in zip(batch.tokens, batch.learned, strict=True)
    ]
    losses = [
        math.log1p(math.exp(-0.7 * (chosen - rejected)))
        for chosen, rejected in zip(gains[::2], gains[1::2], strict=True)
    ]
    update = learner.update(0)
    assert update.loss.item() == pytest.approx(sum(losses) / 4, rel=1e-5)
    assert update.tokens == batch.learned.sum()


def test_an_adapter_that_changes_nothing_is_undecided_and_learns_from_that_alone(start: Start) -> None:
    loaded = start()
    config = adopt(loaded).config
    model = drawn(config)
    attach(model, config.adapt)
    batch = gather(config, Silent()).batches[0]
    rows, learned = torch.from_numpy(batch.tokens), torch.from_numpy(batch.learned)
    loss, ranked = preference_losses(model, rows[:, :-1], rows[:, 1:], learned, beta=0.1)
    assert loss.item() == pytest.approx(4 * math.log(2)) and ranked == 0
    loss.backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        name for name, p in model.named_parameters() if ".lora_" in name
    }


def test_how_a_step_is_cut_changes_no_gradient(start: Start) -> None:
    norms = [
        learner_of(start(**{"train.micro_batch_size": size, "train.accumulate_steps": 4 // size}))
        .update(0)
        .gradient_norm
        for size in (1, 2, 4)
    ]
    for norm in norms[1:]:
        torch.testing.assert_close(norm, norms[0], rtol=1e-5, atol=0)


def test_the_better_answer_is_learned_and_a_broken_run_ends_with_the_same_bytes(start: Start) -> None:
    keys = {"adapt.dropout": 0.1}
    one = train(start("whole", **keys))
    rows = [json.loads(line) for line in (one.run / "metrics.ndjson").read_text().splitlines()]
    held_out = [row["metrics"]["preferred"] for row in rows if row["split"] == "held_out"]
    losses = [row["metrics"]["loss"] for row in rows if row["split"] == "train"]
    assert held_out[-1] == 1.0 and losses[-1] < losses[0] <= math.log(2) + 1e-6
    with pytest.raises(Interrupted):
        train(start("broken", **keys), progress=Talk(stop_at=5))
    assert_same_end(one.run, train(start("broken", **keys), resume=True).run)
    assert LanguageModel.open(one.run)[0].model.parameter_count < one.parameters


def test_a_strength_changes_what_is_learned_and_only_on_request(start: Start) -> None:
    ends = [train(start(str(beta), **{"train.preference_beta": beta})).report for beta in (0.05, 2)]
    assert ends[0].bits_per_byte != ends[1].bits_per_byte


def test_answers_without_a_worse_one_are_refused(start: Start, tmp_path: Path) -> None:
    with (tmp_path / "pairs.ndjson").open("a") as file:
        file.write('{"prompt": "a", "response": "b"}\n')
    with pytest.raises(
        DataError, match=r"pairs\.ndjson:41 is no example .* expected `chosen`, `prompt`, `rejected`"
    ):
        train(start())
