"""One training step of the default model: ours against a plain torch loop and against HF Trainer, and what our loop adds.

All three take the same weights, the same rows, AdamW with the same settings and the same clipping; their losses are compared
over several steps before anything is timed. Muon is not compared: torch's works in bfloat16, which a processor without it
does a hundred times slower.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benches.harness import gate, measures
from codex.config import Config, LoadedConfig, load
from codex.data.load import TokenBatches
from codex.data.prepare import prepare
from codex.models import build
from codex.models.causal import CausalModel
from codex.models.names import transformers_config
from codex.train import train
from codex.train.clock import Clock
from codex.train.learner import Learner
from codex.train.machine import Machine
from codex.train.optimizer import build_optimizer

STEPS = 4  # of HF Trainer in one call
RATE = 1e-3
DOCUMENT_START = 0  # `<|endoftext|>` of every tokenizer that is learned here
SLIVER = "[json/*.py, email/*.py, asyncio/*.py]"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedConfig:
    """The default run on a sliver of the library."""
    changes = {
        "data.include": SLIVER,
        "run.directory": str(tmp_path_factory.mktemp("runs")),
        "train.optimizer": "adamw",
        "train.adam_learning_rate": RATE,
        "train.warmup_steps": 0,
        "train.decay_fraction": 0,
        "train.weight_decay": 0,
        "train.device": "cpu",
        "train.precision": "fp32",
        "train.micro_batch_size": 8,  # 2,048 tokens a step: the shape that peers are quoted at
        "train.max_steps": 1_000_000,
    }
    return load("base", [f"{key}={value}" for key, value in changes.items()])


@pytest.fixture(scope="module")
def batches(loaded: LoadedConfig, tmp_path_factory: pytest.TempPathFactory) -> TokenBatches:
    prepared = prepare(loaded.config, cache=tmp_path_factory.mktemp("cache"))
    sizes = loaded.config
    rows = sizes.train.micro_batch_size
    return TokenBatches(prepared.shards, "train", sizes.model.context + 1, rows, seed=0)


def _model(config: Config) -> CausalModel:
    torch.manual_seed(0)
    return build(config.model, config.tokens.vocabulary_size)


def _ours(config: Config, batches: TokenBatches) -> Iterator[float]:
    model = _model(config)
    machine = Machine("cpu", "fp32", torch.get_num_threads(), "any")
    optimizer = build_optimizer(model, config.train)
    learner = Learner(model, optimizer, batches, config.train, DOCUMENT_START, machine, Clock())
    for step in count():
        yield learner.update(step).loss.item()


def _plain(config: Config, batches: TokenBatches) -> Iterator[float]:
    """What one would write: logits, cross-entropy, backward, clip, step."""
    model = _model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.95), weight_decay=0, fused=True)
    for step in count():
        rows = torch.from_numpy(batches[step].tokens)
        logits = model(rows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), config.train.gradient_clip or float("inf"))
        optimizer.step()
        yield loss.item()


def bench_step_against_a_plain_loop(benchmark: Any, loaded: LoadedConfig, batches: TokenBatches) -> None:
    ours, plain = _ours(loaded.config, batches), _plain(loaded.config, batches)
    for _ in range(5):
        assert next(ours) == pytest.approx(next(plain), abs=2e-4)
    gate(
        benchmark,
        "train.plain_loop",
        lambda: next(ours),
        lambda: next(plain),
        rounds=12,
        equal=lambda one, other: abs(one - other) < 2e-4,
        tokens_per_step=loaded.config.train.micro_batch_size * loaded.config.model.context,
    )


def bench_step_against_hf_trainer(
    benchmark: Any, loaded: LoadedConfig, batches: TokenBatches, tmp_path: Path
) -> None:
    config = loaded.config
    trainer = _hf_trainer(config, batches, tmp_path)
    hf_s, hf_losses = trainer()
    ours = _ours(config, batches)
    assert [next(ours) for _ in range(STEPS)] == pytest.approx(hf_losses, abs=1e-3)

    def ratio() -> float:
        start = time.perf_counter()
        for _ in range(STEPS):
            next(ours)
        ours_s = time.perf_counter() - start
        hf_s: float = trainer()[0]
        return ours_s / hf_s

    measures(benchmark, "train.hf_trainer", ratio, rounds=5, hf_first_s=round(hf_s, 3))


def _hf_trainer(config: Config, batches: TokenBatches, folder: Path) -> Any:
    """A callable that trains afresh for `STEPS` steps; seconds from the first step to the last, and the losses."""
    import transformers

    class Rows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
        def __len__(self) -> int:
            return STEPS * batches.batch_rows

        def __getitem__(self, row: int) -> dict[str, torch.Tensor]:
            index, place = divmod(row, batches.batch_rows)
            tokens = torch.from_numpy(batches[index].tokens[place])
            return {"input_ids": tokens, "labels": tokens}

    class Watch(transformers.TrainerCallback):
        def __init__(self) -> None:
            self.times: list[float] = []
            self.losses: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.times.append(time.perf_counter())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            self.times.append(time.perf_counter())

        def on_log(self, *_: Any, **told: Any) -> None:
            if "loss" in told["logs"]:
                self.losses.append(float(told["logs"]["loss"]))

    class InOrder(transformers.Trainer):
        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return torch.utils.data.SequentialSampler(Rows())

    ours = _model(config)
    named = transformers_config(config.model, config.tokens.vocabulary_size, 0)
    # A row holds one token more than the context: HF shifts the labels itself.
    named["max_position_embeddings"] += 1
    (folder / "config.json").write_text(json.dumps(named))

    def run() -> tuple[float, list[float]]:
        hf = transformers.AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            transformers.AutoConfig.from_pretrained(folder)
        )
        hf.load_state_dict(ours.state_dict(), strict=False)
        arguments = transformers.TrainingArguments(
            output_dir=str(folder / "out"),
            max_steps=STEPS,
            per_device_train_batch_size=batches.batch_rows,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            adam_beta2=0.95,
            weight_decay=0.0,
            max_grad_norm=config.train.gradient_clip or 0.0,
            logging_steps=1,
            logging_nan_inf_filter=False,
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        watch = Watch()
        InOrder(model=hf, args=arguments, train_dataset=Rows(), callbacks=[watch]).train()
        return watch.times[-1] - watch.times[0], watch.losses

    return run


def bench_our_own_calls(benchmark: Any, loaded: LoadedConfig, tmp_path: Path) -> None:
    """Batches, journal, progress and the loop itself, as a share of the time that training takes."""
    changes = {
        "run.directory": str(tmp_path),
        "data.include": SLIVER,
        "data.validation_fraction": 0.02,
        "evaluate.stride": load("base").config.model.context,
        "evaluate.held_out_tokens": 1,
        "train.max_steps": 10,
        "train.warmup_steps": 1,
        "generate.max_tokens": 1,
        "train.device": "cpu",
        "train.precision": "fp32",
        "train.threads": torch.get_num_threads(),
    }
    short = load("base", [f"{key}={value}" for key, value in changes.items()])

    def share() -> float:
        found = train(short).own_share
        assert found is not None
        return found

    measures(benchmark, "train.own_calls", share, rounds=1)
