"""What a dry run says is what a run takes, and it leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from codex.checkpoint import load as load_checkpoint
from codex.cli.app import run
from codex.config.schema import Config, Model, Train
from codex.models import build
from codex.train import train
from codex.train.machine import Machine
from codex.train.optimizer import build_optimizer
from codex.train.plan import kept_for_backward, plan_run
from codex.train.progress import Silent
from tests.train.tiny import Settings

SHAPES: dict[str, dict[str, Any]] = {
    "default": {},
    "grouped": {"heads": 4, "key_value_heads": 2},
    "untied, dropout": {"tie_embeddings": False, "dropout": 0.1},
    "without QK-norm": {"qk_norm": False},
}


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("packing", ["contiguous", "documents"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_memory_is_what_a_real_model_takes(
    settings: Settings, shape: dict[str, Any], packing: str, optimizer: str
) -> None:
    keys = {f"model.{key}": value for key, value in shape.items()}
    keys |= {"train.packing": packing, "train.optimizer": optimizer}
    config = settings(**keys).config
    memory = plan_run(config, "tiny", Silent()).memory
    torch.manual_seed(0)
    model = build(config.model, config.tokens.vocabulary_size)
    assert memory.weights == memory.gradients == sum(p.numel() * 4 for p in model.parameters())
    state = build_optimizer(model, config.train).state_tensors().values()
    assert memory.optimizer == sum(tensor.nbytes for tensor in state)
    assert memory.activations == kept_for_backward(model, config, Machine("cpu", "fp32", 1, "any")) > 0


def test_activations_grow_with_the_rows_of_a_batch_and_not_with_the_batches_of_a_step() -> None:
    def kept(**sizes: int) -> int:
        config = Config(model=Model(width=16, layers=2, context=128), train=Train(**sizes))
        return kept_for_backward(build(config.model, 300), config, Machine("cpu", "fp32", 1, "any"))

    head = 300 * 16 * 4  # the gradient of the head is kept whatever the rows
    one, two = kept(micro_batch_size=1), kept(micro_batch_size=2)
    assert one < two <= 2 * one + head
    assert kept(micro_batch_size=2, accumulate_steps=4) == two


def test_the_operations_are_six_for_each_weight_and_attention() -> None:
    loaded = Config(model=Model(width=256, layers=8, heads=4, key_value_heads=4, feed_forward_width=704))
    plan = plan_run(loaded.model_copy(update={"train": Train(threads=1, precision="fp32")}), "x", Silent())
    layer = 4 * 256 * 256 + 3 * 256 * 704
    assert plan.flops_per_token == 6 * (8 * layer + 4096 * 256) + 6 * 8 * 256 * 256
    assert plan.embedding_parameters == 4096 * 256


def test_a_run_has_the_parameters_and_the_checkpoint_that_were_said(settings: Settings) -> None:
    loaded = settings()
    plan = plan_run(loaded.config, loaded.run_name, Silent())
    summary = train(loaded)
    assert (plan.name, plan.steps) == ("tiny", summary.step)
    assert (plan.parameters, plan.tokens_per_step * plan.steps) == (summary.parameters, summary.tokens)
    saved = load_checkpoint(summary.checkpoint)
    tensors = [*saved.model.values(), *saved.optimizer.values()]
    assert plan.checkpoint_bytes == sum(tensor.nbytes for tensor in tensors)


def test_the_command_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEX_CACHE_DIR", str(tmp_path / "cache"))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("some text")
    before = sorted(tmp_path.rglob("*"))
    words = ["train", "--dry-run", "data.corpus=null", "data.paths=[corpus]", "train.threads=1"]
    assert run([*words, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["files"], facts["text_bytes"], facts["name"]) == (1, 9, "base")
    assert facts["memory"]["total"] == sum(v for k, v in facts["memory"].items() if k != "total")
    assert run([*words, "--resume"]) == 2
    assert run([*words, "data.paths=[nowhere]"]) == 3
    assert sorted(tmp_path.rglob("*")) == before
