"""What a checkpoint says about where a run is, and what of it no run goes on from."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from codex import checkpoint
from codex.config import LoadedConfig
from codex.errors import DamageError, Interrupted
from codex.train import Summary, train
from codex.train.generators import generator_state, restore_generators, seed_generators
from tests.train.tiny import Settings, Talk, assert_same_end

Change = Callable[[dict[str, Any], dict[str, torch.Tensor]], None]


def _saved_again(loaded: LoadedConfig, step: int, change: Change) -> Path:
    """A run stopped after `step`, its only checkpoint saved anew with what `change` has made of its state."""
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=step))
    run = Path(loaded.config.run.directory) / "tiny"
    for other in (run / "checkpoints").glob("step-*"):
        if other.name != f"step-{step:08}":
            for file in other.iterdir():
                file.unlink()
            other.rmdir()
    kept = checkpoint.load(run / "checkpoints" / f"step-{step:08}")
    change(kept.state, kept.state_tensors)
    return checkpoint.save(
        run / "checkpoints",
        step,
        model=kept.model,
        optimizer=kept.optimizer,
        state_tensors=kept.state_tensors,
        state=kept.state,
        files=kept.files,
    )


def test_the_state_says_all_that_a_resume_needs(settings: Settings, whole: Summary) -> None:
    loaded = settings(**{"train.accumulate_steps": 2, "run.seed": 7})
    summary = train(loaded)
    state = json.loads((summary.checkpoint / "state.json").read_bytes())
    assert state["schema_version"] == 2 and state["step"] == 12 and state["world_size"] == 1
    assert set(state["metrics"]) == {"loss", "held_out_bits_per_byte"}
    shards = json.loads((summary.checkpoint / "manifest.json").read_bytes())["parents"][0]
    assert state["data"] == {"epoch": 0, "index": 12, "seed": 7, "shards": shards}
    assert state["history"]["tokens"] == 12 * 2 * 4 * 16
    best = state["history"]["best"]
    assert (
        best["metric"] == "held_out_bits_per_byte"
        and best["direction"] == "lowest"
        and best["step"]
        in (
            4,
            8,
            12,
        )
    )
    assert state["config"] == loaded.config.model_dump(mode="json")
    assert state["config_digest"] == loaded.config.digest
    assert not [name for name in state if "scaler" in name], "no precision of ours scales its gradients"
    rows = [json.loads(line) for line in (summary.run / "metrics.ndjson").read_text().splitlines()]
    last = [row["metrics"]["loss"] for row in rows if row["split"] == "train"][-1]
    assert state["metrics"]["loss"] == last


def test_every_generator_goes_on_where_it_was() -> None:
    def draw() -> list[object]:
        parts = [random.random(), random.gauss(0, 1), np.random.random(), np.random.normal()]
        return [*parts, torch.rand(3).tolist()]

    seed_generators(5)
    first = draw()
    seed_generators(5)
    assert draw() == first, "a seed is one start for all of them"
    plain, tensors = generator_state("cpu")  # each Gaussian drawn has left its twin behind
    plain = json.loads(json.dumps(plain))
    expected = [draw(), draw()]
    seed_generators(6)
    assert draw() != first
    restore_generators(plain, tensors)
    assert [draw(), draw()] == expected


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state, _: state.update(world_size=2), "made by 2 processes, expected 1"),
        (lambda state, _: state["data"].update(index=7), "step 6, but its next batch is 7"),
        (lambda state, _: state["data"].update(epoch=3), "in epoch 3, by its data it should be in 0"),
        (lambda state, _: state.pop("history"), "lacks `history`"),
        (lambda state, _: state.update(imported={"from": "hf"}), "was imported"),
        (lambda state, _: state["config"]["model"].update(wings=2), "configuration in"),
        (lambda _, tensors: tensors.pop("random.numpy"), "random.numpy"),
    ],
    ids=["world size", "batch", "epoch", "part", "import", "configuration", "generator"],
)
def test_what_no_run_can_go_on_from_is_refused_by_name(settings: Settings, change: Change, said: str) -> None:
    loaded = settings()
    path = _saved_again(loaded, 6, change)
    with pytest.raises(DamageError, match=said) as error:
        train(settings("other"), resume_from=path)
    assert str(path) in error.value.message and error.value.exit_code == 4


def test_a_checkpoint_of_version_1_is_gone_on_from(settings: Settings, whole: Summary) -> None:
    def older(state: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        state["shards"] = state.pop("data")["shards"]
        state["history"] = {"tokens": state["history"]["tokens"], "best": 9.5, "best_step": 4}
        for later in ("random", "config_digest", "world_size"):
            del state[later]
        for later in ("random.python", "random.numpy"):
            del tensors[later]
        del state["config"]["model"]["dropout"]
        del state["config"]["checkpoint"]["asynchronous"]

    loaded = settings()
    path = _saved_again(loaded, 6, older)
    fresh = train(settings("other"), resume_from=path)
    for file in ("model.safetensors", "optimizer.safetensors"):
        assert (fresh.checkpoint / file).read_bytes() == (whole.checkpoint / file).read_bytes()
    resumed = train(loaded, resume=True)
    assert resumed.first_step == 6
    for file in ("model.safetensors", "optimizer.safetensors"):
        assert (resumed.checkpoint / file).read_bytes() == (whole.checkpoint / file).read_bytes()


def test_dropout_is_resumed_and_off_in_the_last_sample(settings: Settings) -> None:
    keys = {"model.dropout": 0.3, "train.accumulate_steps": 2}
    unbroken = train(settings("one", **keys))
    loaded = settings("two", **keys)
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=5))
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    summary = train(loaded, resume=True)
    assert_same_end(unbroken.run, summary.run)
    plain = train(settings("three", **(keys | {"model.dropout": 0.0})))
    assert plain.report.bits_per_byte != summary.report.bits_per_byte
    from codex.generate import LanguageModel

    model, _, _ = LanguageModel.open(summary.checkpoint)
    generate = loaded.config.generate
    again = model.continue_text(generate.prompt, generate, seed=loaded.config.run.seed)
    assert again.text == summary.report.sample, "the sample is of the model as it is used"
