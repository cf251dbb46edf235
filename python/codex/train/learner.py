"""One update of the weights: forward and backward over the batches of a step, clipping, and the optimizer.

B rows of a micro-batch, T context. Everything that changes weights happens here and nothing else does, so a run is this
function called with 0, 1, 2 ...
"""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from codex.adapt import learned_weights, preference_losses
from codex.config.schema import Train
from codex.data.load import TokenBatch
from codex.kernels.attention.documents import Documents
from codex.models.causal import CausalModel
from codex.train.clock import Clock
from codex.train.machine import Machine
from codex.train.material import Batches
from codex.train.optimizer import Optimizer
from codex.train.schedule import rate_factor
from codex.train.spikes import Spikes

__all__ = ["Learner", "Update"]


class Update(NamedTuple):
    """What one update saw; tensors, so that a GPU is not waited for."""

    loss: Tensor
    """Nats per token over all rows of the step, before the update and without the z-loss; of `preferences`, per pair."""
    gradient_norm: Tensor
    """Before clipping."""
    tokens: int
    epoch: int
    learning_rate: float
    """Of the matrices inside the layers."""
    is_left_out: bool
    """Whether no weight was changed, for the step stood out (`train.skip_spikes`)."""


class Learner:
    """A model, what it learns from, and the rule it learns by.

    Args:
        model: on the machine's device.
        optimizer: over its parameters.
        batches: one batch is one step: `train.accumulate_steps` x `train.micro_batch_size` rows.
        config: `config.train`.
        document_start: the token that stands before the first one of every document.
        machine: what to compute on.
        clock: told the seconds of `data`, `forward`, `backward` and `optimizer`.
    """

    def __init__(
        self,
        model: CausalModel,
        optimizer: Optimizer,
        batches: Batches,
        config: Train,
        document_start: int,
        machine: Machine,
        clock: Clock,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.batches = batches
        self._config = config
        self._document_start = document_start
        self._machine = machine
        self._clock = clock
        #: Which updates are left out; None: none is.
        self.spikes = None if config.skip_spikes is None else Spikes(config.skip_spikes)
        is_muon = config.optimizer == "muon"
        self._highest_rate = config.learning_rate if is_muon else config.adam_learning_rate

    @property
    def weights(self) -> dict[str, Tensor]:
        """What a checkpoint holds of the model, where it lies: all of it, or an adapter alone."""
        return learned_weights(self.model)

    def update(self, step: int) -> Update:
        """Make the update that follows `step` finished ones.

        The loss is divided by the tokens of the whole step, not of a micro-batch: 1 x 8 rows and 8 x 1 rows give the same
        gradient.
        """
        clock = self._clock
        with clock.phase("data"):
            batch = self.batches[step]
            rows = torch.from_numpy(batch.tokens).to(self._machine.device, non_blocking=True)
            learned = self._learned(batch)
            tokens = int(learned.sum()) if learned is not None else rows.shape[0] * (rows.shape[1] - 1)
            count = tokens if self._config.objective != "preferences" else len(rows) // 2
        loss = torch.zeros((), device=rows.device)
        size = len(rows) // self._config.accumulate_steps
        masks = repeat(None) if learned is None else torch.split(learned, size)
        for micro, mask in zip(torch.split(rows, size), masks, strict=False):
            with clock.phase("forward"), self._machine.autocast():
                seen, wanted = micro[:, :-1], micro[:, 1:]
                total, shown = self._losses(seen, wanted, mask)
            with clock.phase("backward"):
                (total / count).backward()  # type: ignore[no-untyped-call]
            loss += shown / count
        with clock.phase("optimizer"):
            norm = self._clipped_norm()
            factor = self._factor(step)
            is_left_out = self.spikes is not None and self.spikes.stands_out(loss.item(), norm.item())
            if is_left_out:
                self.optimizer.forget_gradients()
            else:
                self.optimizer.step(step, factor)
        return Update(loss, norm, tokens, batch.epoch, factor * self._highest_rate, is_left_out)

    def _losses(self, seen: Tensor, wanted: Tensor, learned: Tensor | None) -> tuple[Tensor, Tensor]:
        """Sums over a micro-batch: what is learned from, and what of it is shown as the loss."""
        if self._config.objective == "preferences":
            assert learned is not None
            beta = self._config.preference_beta
            total, _ = preference_losses(self.model, seen, wanted, learned, beta=beta)
            return total, total.detach()
        return self.model.summed_losses(
            seen, wanted, documents=self._documents(seen), z_loss=self._config.z_loss, learned=learned
        )

    def _learned(self, batch: TokenBatch) -> Tensor | None:
        """Which of the tokens predicted are learned from, on the device; None: all."""
        if batch.learned is None:
            return None
        return torch.from_numpy(batch.learned).to(self._machine.device, non_blocking=True)

    def _documents(self, seen: Tensor) -> Documents | None:
        """What hides neighbours in a row from each other.

        The token that ends a document is the first that the next one sees: it predicts that one's first token, as it
        does where a text is measured or begun, and nothing else of the document before is looked at.
        """
        if self._config.packing == "contiguous" or self._config.objective != "text":
            return None
        return Documents(seen == self._document_start)

    def _clipped_norm(self) -> Tensor:
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if self._config.gradient_clip is not None:
            torch.nn.utils.clip_grads_with_norm_(parameters, self._config.gradient_clip, norm)
        return norm

    def _factor(self, step: int) -> float:
        return rate_factor(
            step,
            max_steps=self._config.max_steps,
            warmup_steps=self._config.warmup_steps,
            schedule=self._config.schedule,
            decay_fraction=self._config.decay_fraction,
            final_rate=self._config.final_rate,
        )
