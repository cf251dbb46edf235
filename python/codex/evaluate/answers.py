"""Bits per byte of answers that were held out: what it costs to say them, given what was asked.

B examples at a time. The bytes are those of the answers; what a chat template writes around them costs bits and is no byte.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from codex.adapt import preference_losses
from codex.data.examples import Example, padded
from codex.evaluate.bits import Bits, Progress

if TYPE_CHECKING:
    from codex.models.causal import CausalModel

__all__ = ["HeldOutAnswers"]

_BATCH_EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class HeldOutAnswers:
    """The examples to measure on; of a pair, the answer that was chosen."""

    examples: Sequence[Example]

    def first(self, tokens: int) -> HeldOutAnswers:
        """As many examples from the start as have at most so many tokens together, but one at least."""
        total = 0
        for number, example in enumerate(self.examples):
            total += len(example.rows[0].tokens)
            if total > tokens:
                return HeldOutAnswers(self.examples[: max(1, number)])
        return self

    def measure(
        self,
        model: CausalModel,
        *,
        stride: int,
        documents_apart: bool,
        autocast: AbstractContextManager[Any] | None = None,
        progress: Progress | None = None,
    ) -> Bits:
        """As `HeldOut.measure`; a row is one example, so `stride` and `documents_apart` change nothing."""
        device = next(model.parameters()).device
        nats, scored, ranked = 0.0, 0, 0
        is_paired = len(self.examples[0].rows) == 2
        was_training = model.training
        model.eval()
        try:
            with torch.inference_mode(), autocast or nullcontext():
                for start in range(0, len(self.examples), _BATCH_EXAMPLES):
                    some = self.examples[start : start + _BATCH_EXAMPLES]
                    batch = padded([example.rows[0] for example in some])
                    rows = torch.from_numpy(batch.tokens).to(device)
                    learned = torch.from_numpy(batch.learned).to(device)
                    nats += model.summed_losses(rows[:, :-1], rows[:, 1:], learned=learned)[1].item()
                    scored += int(learned.sum())
                    if is_paired:
                        ranked += self._ranked(model, some)
                    if progress is not None:
                        progress.step("evaluate", start + len(some), len(self.examples))
        finally:
            model.train(was_training)
        size = sum(len(example.answer.encode()) for example in self.examples)
        preferred = ranked / len(self.examples) if is_paired else None
        return Bits(nats / math.log(2), size, scored, len(self.examples), preferred)

    def _ranked(self, model: CausalModel, some: Sequence[Example]) -> int:
        """Of some pairs, those that the adapter ranks as they are."""
        device = next(model.parameters()).device
        pairs = padded([row for example in some for row in example.rows])
        rows, learned = (torch.from_numpy(each).to(device) for each in (pairs.tokens, pairs.learned))
        return int(preference_losses(model, rows[:, :-1], rows[:, 1:], learned, beta=1.0)[1])
