"""What a run carries from one step to the next beside weights and optimizer, and how a checkpoint holds all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from codex.checkpoint import Loaded
from codex.config import Config
from codex.errors import DamageError
from codex.train.learner import Learner
from codex.train.machine import Machine

__all__ = ["History", "restore", "state_of", "state_tensors"]


@dataclass(slots=True)
class History:
    """Figures that later rows of the journal depend on."""

    step: int = 0
    """Updates done; also the number of the next batch."""
    tokens: int = 0
    """Seen so far, a token in every epoch counted again."""
    best: float | None = None
    """Lowest bits per byte of a measurement while training."""
    best_step: int | None = None
    losses: list[Tensor] = field(default_factory=list)
    """Of the steps since the last row of the journal."""

    def as_state(self) -> dict[str, Any]:
        """Plain values for `state.json`; the losses are tensors and stay out."""
        return {"tokens": self.tokens, "best": self.best, "best_step": self.best_step}


def state_of(history: History, config: Config, machine: Machine, shards: str) -> dict[str, Any]:
    """The content of `state.json`.

    Args:
        history: where the run is.
        config: the whole configuration.
        machine: what it computes on.
        shards: digest of the token shards.
    """
    return {
        "step": history.step,
        "history": history.as_state(),
        "machine": machine.as_state(),
        "shards": shards,
        "config": config.model_dump(mode="json"),
    }


def state_tensors(history: History, machine: Machine) -> dict[str, Tensor]:
    """The content of `state.safetensors`: random generators, and the losses not yet in the journal."""
    tensors = {"random.cpu": torch.get_rng_state()}
    if machine.device == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    if history.losses:
        tensors["losses"] = torch.stack(history.losses).cpu()
    return tensors


def restore(loaded: Loaded, learner: Learner) -> History:
    """Put a checkpoint back: weights, optimizer and random generators in place; returns where the run was.

    Raises:
        DamageError: if the checkpoint is of another model, or lacks a part.
    """
    try:
        learner.model.load_state_dict(loaded.model)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise DamageError(f"the weights in `{loaded.path}` are of another model: {reason}") from error
    learner.optimizer.load_state_tensors(loaded.optimizer)
    _restore_random(loaded.state_tensors)
    try:
        kept: Mapping[str, Any] = loaded.state["history"]
        history = History(loaded.step, kept["tokens"], kept["best"], kept["best_step"])
    except (KeyError, TypeError) as error:
        raise DamageError(
            f"the state in `{loaded.path}` lacks {error}, expected a checkpoint of a run"
        ) from error
    history.losses = list(loaded.state_tensors.get("losses", torch.empty(0)).unbind())
    return history


def _restore_random(tensors: Mapping[str, Tensor]) -> None:
    if "random.cpu" in tensors:
        torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
