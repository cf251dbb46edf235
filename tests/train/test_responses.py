"""Runs that learn answers: nothing of a prompt is learned, padding changes nothing, and they are as exact as any other."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from codex import checkpoint
from codex.config import LoadedConfig, load
from codex.data.examples import Row
from codex.errors import ConfigError, DataError, Interrupted
from codex.evaluate import HeldOutAnswers
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

KEYS = {key: value for key, value in TINY.items() if not key.startswith(("model.", "tokens.", "data."))}
KEYS |= {"train.adam_learning_rate": "0.01", "run.name": "answers", "generate.prompt": "spam"}
TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}<|endoftext|>{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)

Start = Callable[..., LoadedConfig]


@pytest.fixture(params=["tied", "gpt2"])
def shape(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def start(tmp_path: Path, shape: str) -> Start:
    lines = [{"prompt": "eggs" * (n % 3 + 1), "response": f" ham {n}"} for n in range(40)]
    (tmp_path / "examples.ndjson").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (tmp_path / "template.jinja").write_text(TEMPLATE)
    config = configured(**SHAPES[shape])
    base = save_model(tmp_path / "base" / "checkpoints", drawn(config), config)

    def make(where: str = "runs", **changes: object) -> LoadedConfig:
        keys = KEYS | {
            "data.paths": f"[{tmp_path / 'examples.ndjson'}]",
            "run.directory": str(tmp_path / where),
        }
        keys |= {"model.pretrained": base, **changes}
        return load("responses", [f"{key}={value}" for key, value in keys.items()])

    return make


def learner_of(loaded: LoadedConfig) -> Learner:
    config = adopt(loaded).config
    model = drawn(config).train()
    machine = Machine("cpu", "fp32", 1, "")
    optimizer = build_optimizer(model, config.train)
    return Learner(model, optimizer, gather(config, Silent()).batches, config.train, 0, machine, Clock())


def nats(model: Any, row: Row) -> torch.Tensor:
    """Of the learned tokens of one row alone, by the definition."""
    tokens, learned = torch.from_numpy(row.tokens), torch.from_numpy(row.learned)
    log = model(tokens[None, :-1])[0].log_softmax(dim=1)
    picked: torch.Tensor = -log.gather(1, tokens[1:, None])[:, 0][learned[1:]]
    return picked.sum()


def test_the_loss_is_that_of_the_answers_alone_each_seen_by_itself(start: Start) -> None:
    loaded = start(**{"train.gradient_clip": "null"})
    learner = learner_of(loaded)
    batch = learner.batches[0]
    assert batch.learned is not None
    rows = [
        Row(np.array(tokens[: last + 2]), np.array([False, *learned[: last + 1]]))
        for tokens, learned in zip(batch.tokens.tolist(), batch.learned.tolist(), strict=True)
        for last in [max(place for place, is_learned in enumerate(learned) if is_learned)]
    ]
    assert len({len(row.tokens) for row in rows}) > 1
    expected = sum((nats(learner.model, row) for row in rows), torch.zeros(()))
    update = learner.update(0)
    assert update.tokens == sum(int(row.learned[1:].sum()) for row in rows)
    torch.testing.assert_close(update.loss, (expected / update.tokens).detach(), rtol=1e-5, atol=0)


def test_how_a_step_is_cut_changes_no_gradient(start: Start) -> None:
    norms = [
        learner_of(start(**{"train.micro_batch_size": size, "train.accumulate_steps": 4 // size}))
        .update(0)
        .gradient_norm
        for size in (1, 4)
    ]
    torch.testing.assert_close(norms[0], norms[1], rtol=1e-5, atol=0)


def test_what_is_measured_is_what_the_definition_says(start: Start) -> None:
    config = adopt(start()).config
    model = drawn(config).eval()
    held_out = gather(config, Silent()).held_out
    assert isinstance(held_out, HeldOutAnswers)
    bits = held_out.measure(model, stride=1, documents_apart=True)
    expected = sum(nats(model, example.rows[0]).item() for example in held_out.examples)
    assert bits.bits == pytest.approx(expected / math.log(2), rel=1e-5)
    assert bits.bytes == sum(len(example.answer) for example in held_out.examples)
    assert held_out.first(1).examples == held_out.examples[:1]


def test_answers_are_learned_and_a_broken_run_ends_with_the_same_bytes(start: Start) -> None:
    one = train(start("whole"))
    rows = [json.loads(line) for line in (one.run / "metrics.ndjson").read_text().splitlines()]
    measured = [row["metrics"]["bits_per_byte"] for row in rows if row["split"] == "held_out"]
    assert measured[-1] < measured[0]
    with pytest.raises(Interrupted):
        train(start("broken"), progress=Talk(stop_at=5))
    assert_same_end(one.run, train(start("broken"), resume=True).run)


@pytest.mark.parametrize("shape", ["tied"], indirect=True)
class TestOneShape:
    def test_the_template_goes_with_the_model(self, start: Start, tmp_path: Path) -> None:
        first = train(start(**{"tokens.chat_template": tmp_path / "template.jinja", "train.max_steps": 1}))
        assert checkpoint.load(first.checkpoint).files["chat_template.jinja"].decode() == TEMPLATE
        (tmp_path / "template.jinja").unlink()
        second = train(start("again", **{"model.pretrained": first.run, "train.max_steps": 1}))
        assert checkpoint.load(second.checkpoint).files["chat_template.jinja"].decode() == TEMPLATE

    def test_an_adapter_learns_them_too(self, start: Start) -> None:
        pytest.importorskip("peft", reason="needs the extra `hf`")
        summary = train(start(**{"adapt.lora": "true", "adapt.rank": 2}))
        assert summary.learned_parameters < summary.parameters / 4

    def test_other_examples_are_refused_by_a_resume(self, start: Start, tmp_path: Path) -> None:
        with pytest.raises(Interrupted):
            train(start(), progress=Talk(stop_at=5))
        with (tmp_path / "examples.ndjson").open("a") as file:
            file.write('{"prompt": "a", "response": "b"}\n')
        with pytest.raises(
            DataError, match="the data is not what this run began with: `examples` has changed"
        ):
            train(start(), resume=True)

    def test_without_weights_there_is_nothing_to_teach(self, start: Start) -> None:
        with pytest.raises(
            ConfigError, match=r"`train\.objective` is responses and `model\.pretrained` null"
        ):
            train(start(**{"model.pretrained": "null"}))

    def test_another_objective_is_another_run(self, start: Start) -> None:
        with pytest.raises(Interrupted):
            train(start(), progress=Talk(stop_at=5))
        with pytest.raises(ConfigError, match=r"`train.objective` was responses, is text \(it cannot change"):
            train(start(**{"train.objective": "text"}), resume=True, allow_changes=True)
