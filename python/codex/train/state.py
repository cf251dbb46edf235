"""What a run carries from one step to the next beside weights and optimizer, and how a checkpoint holds all of it.

`state.json` holds whole numbers and words: step and tokens, where the data are, which checkpoint is the best, the machine,
the configuration and its digest. `state.safetensors` holds the random generators and the losses that no row of the journal
holds yet. The schedule is a function of the step, so the step is its position. There is no gradient scaler: fp32 and bf16
need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from codex import checkpoint
from codex.checkpoint import Loaded
from codex.config import Config
from codex.errors import DamageError
from codex.train.generators import generator_state, restore_generators
from codex.train.learner import Learner
from codex.train.machine import Machine

__all__ = ["Best", "History", "check_state", "restore", "state_of"]

_PARTS = ("step", "metrics", "history", "data", "random", "machine", "config", "config_digest", "world_size")


@dataclass(frozen=True, slots=True)
class Best:
    """The best checkpoint so far, and by what."""

    metric: str
    direction: str
    value: float
    step: int


@dataclass(slots=True)
class History:
    """Figures that later rows of the journal and later checkpoints depend on."""

    step: int = 0
    """Updates done; also the number of the next batch."""
    tokens: int = 0
    """Seen so far, a token in every epoch counted again."""
    best: Best | None = None
    lowest: float | None = None
    """Fewest bits per byte measured on held-out text so far."""
    measured_since: int = 0
    """Measurements since the lowest."""
    losses: list[Tensor] = field(default_factory=list)
    """Of the steps since the last row of the journal."""

    @property
    def is_best(self) -> bool:
        """Whether a checkpoint at this step is the best so far."""
        return self.best is not None and self.best.step == self.step

    def note_measured(self, bits_per_byte: float) -> None:
        """Take note of a measurement on held-out text; one that is as low as the lowest is no better."""
        if self.lowest is None or bits_per_byte < self.lowest:
            self.lowest, self.measured_since = bits_per_byte, 0
        else:
            self.measured_since += 1

    def note_best(self, metrics: Mapping[str, float], metric: str, direction: str) -> None:
        """Take note of a checkpoint at this step if it is the best so far; of two equals the newer is, as `rotate` has it."""
        value, best = metrics.get(metric), self.best
        if value is None:
            return
        if best is None or (best.metric, best.direction) != (metric, direction):
            is_best = True
        else:
            is_best = value >= best.value if direction == "highest" else value <= best.value
        if is_best:
            self.best = Best(metric, direction, value, self.step)


def state_of(
    history: History, metrics: Mapping[str, float], learner: Learner, config: Config, machine: Machine
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The content of `state.json` and of `state.safetensors`.

    Args:
        history: where the run is.
        metrics: measured at this step.
        learner: its batches say where the data are.
        config: the whole configuration.
        machine: what it computes on.
    """
    random, tensors = generator_state(machine.device)
    if history.losses:
        tensors["losses"] = torch.stack([loss.cpu() for loss in history.losses])
    state = {
        "step": history.step,
        "metrics": dict(metrics),
        "history": {
            "tokens": history.tokens,
            "best": asdict(history.best) if history.best else None,
            "lowest": history.lowest,
            "measured_since": history.measured_since,
            "spikes": learner.spikes.state() if learner.spikes else None,
        },
        "data": _position(history.step, learner, config),
        "random": random,
        "machine": machine.as_state(),
        "config": config.model_dump(mode="json"),
        "config_digest": config.digest,
        "world_size": 1,
    }
    return state, tensors


def _position(step: int, learner: Learner, config: Config) -> dict[str, Any]:
    """The batch that comes next: a step takes one."""
    batches = learner.batches
    return {
        "epoch": batches.epoch(step),
        "index": step,
        "seed": config.run.seed,
        "shards": batches.digest,
    }


def check_state(loaded: Loaded) -> None:
    """Refuse a checkpoint that no run can go on from.

    Raises:
        DamageError: if it lacks a part, was imported from elsewhere, or made by several processes.
    """
    state = loaded.state
    for made in ("imported", "merged"):
        if made in state:
            raise DamageError(
                f"checkpoint `{loaded.path}` was {made}: it holds weights, but no optimizer or position to go on from",
                hint="`model.pretrained` begins a run with them",
            )
    missing = [part for part in _PARTS if part not in state]
    if missing:
        raise DamageError(
            f"the state in `{loaded.path}` lacks `{missing[0]}`, expected a checkpoint of a run"
        )
    if state["world_size"] != 1:
        raise DamageError(
            f"checkpoint `{loaded.path}` was made by {state['world_size']} processes, expected 1"
        )
    if state["data"]["index"] != state["step"]:
        raise DamageError(
            f"checkpoint `{loaded.path}` is of step {state['step']}, but its next batch is {state['data']['index']}"
        )


def restore(kept: Loaded, learner: Learner) -> History:
    """Put a checkpoint back: weights and optimizer where they lie, random generators; returns where the run was.

    Args:
        kept: its state; the tensors are read here, straight into place.
        learner: of the same model.
    Raises:
        DamageError: if the checkpoint is of another model, or its place in the data is another.
    """
    state = kept.state
    epoch = learner.batches.epoch(state["data"]["index"])
    if state["data"]["epoch"] not in (epoch, None):
        raise DamageError(
            f"checkpoint `{kept.path}` is in epoch {state['data']['epoch']}, by its data it should be in {epoch}"
        )
    into = {"model": learner.weights, "optimizer": learner.optimizer.state_tensors()}
    tensors = checkpoint.load(kept.path, into=into).state_tensors
    try:
        restore_generators(state["random"], tensors)
    except KeyError as error:
        raise DamageError(f"the state in `{kept.path}` lacks {error}, expected every generator") from error
    history = state["history"]
    best = history["best"]
    if learner.spikes and history.get(
        "spikes"
    ):  # a checkpoint without the key is of a run that left nothing out
        learner.spikes.restore(history["spikes"])
    return History(
        step=kept.step,
        tokens=history["tokens"],
        best=Best(**best) if best else None,
        lowest=history.get("lowest"),  # a checkpoint from before patience has neither
        measured_since=history.get("measured_since", 0),
        losses=list(tensors["losses"].unbind()) if "losses" in tensors else [],
    )
