"""Bits per byte: what it costs to say the held-out text, were the model used to compress it.

B windows at a time, T context. All held-out documents are one text, in the order of their ids, each ended by the
end-of-document token: the bits of those tokens are counted, and they stand for no byte. Before the first token stands one
more end-of-document token, which is seen and not scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from codex.data.load import SplitTokens
from codex.errors import DataError
from codex.evaluate.windows import Window, windows
from codex.kernels.attention.documents import Documents

if TYPE_CHECKING:
    from codex.models.causal import CausalModel
    from codex.tokens import Tokenizer

__all__ = ["Bits", "HeldOut", "Progress", "bits_per_byte"]

_BATCH_TOKENS = 4096  # seen in one forward pass


class Progress(Protocol):
    """Told where the work is; must not raise."""

    def step(self, stage: str, done: int, total: int) -> None:
        """`done` of `total` units of `stage` are done."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The text to measure on, as tokens."""

    tokens: NDArray[np.int64]
    """All documents joined in id order, each with its end-of-document token."""
    token_bytes: NDArray[np.int64]
    """Bytes of text that each id of the vocabulary stands for; 0 for end of document."""
    end_of_document_id: int
    documents: int

    @classmethod
    def open(cls, shards: Path, tokenizer: Tokenizer, *, split: str = "validation") -> HeldOut:
        """The held-out documents of a folder of shards, checked against their digests; copies their tokens."""
        documents = SplitTokens(shards, split)
        lengths = [len(tokenizer.decode_bytes([number])) for number in range(tokenizer.vocab_size)]
        token_bytes = np.array(lengths, dtype=np.int64)
        token_bytes[tokenizer.end_of_document_id] = 0
        tokens = np.concatenate([documents[number] for number in range(len(documents))]).astype(np.int64)
        return cls(tokens, token_bytes, tokenizer.end_of_document_id, len(documents))

    def first(self, tokens: int) -> HeldOut:
        """At most so many tokens from the start."""
        kept = self.tokens[:tokens]
        documents = int((kept == self.end_of_document_id).sum())
        return HeldOut(kept, self.token_bytes, self.end_of_document_id, documents)

    def measure(
        self,
        model: CausalModel,
        *,
        stride: int,
        documents_apart: bool,
        autocast: AbstractContextManager[Any] | None = None,
        progress: Progress | None = None,
    ) -> Bits:
        """The bits that `model` needs to say it, as `bits_per_byte`."""
        return bits_per_byte(
            model, self, stride=stride, documents_apart=documents_apart, autocast=autocast, progress=progress
        )

    @property
    def bytes(self) -> int:
        """Of the text that the tokens stand for."""
        return int(self.token_bytes[self.tokens].sum())


@dataclass(frozen=True, slots=True)
class Bits:
    """The cost of a text."""

    bits: float
    bytes: int
    tokens: int
    documents: int
    preferred: float | None = None
    """Of pairs of answers, the share in which an adapter has raised the chosen one above the rejected one."""

    @property
    def per_byte(self) -> float:
        """The headline: lower is better."""
        return self.bits / self.bytes

    @property
    def per_token(self) -> float:
        """As `per_byte`, but comparable only between models with the same tokenizer."""
        return self.bits / self.tokens


def bits_per_byte(
    model: CausalModel,
    text: HeldOut,
    *,
    stride: int,
    documents_apart: bool = False,
    autocast: AbstractContextManager[Any] | None = None,
    progress: Progress | None = None,
) -> Bits:
    """The bits that `model` needs to say `text`.

    Memory: the logits of one chunk of the loss kernel at a time, whatever the length of the text.

    Args:
        model: as it is; it is put back in the mode it was in.
        text: what to measure on.
        stride: tokens by which the window moves on, 1 to the model's context; see `windows`.
        documents_apart: whether a token sees its own document only, as in training with `train.packing: documents`.
        autocast: a block to compute in, such as `Machine.autocast()`.
        progress: told tokens scored.
    Raises:
        DataError: if the text has no byte.
    """
    total_bytes = text.bytes
    if total_bytes == 0:
        raise DataError(
            "the held-out text has 0 bytes, expected at least 1", hint="raise `data.validation_fraction`"
        )
    stream = torch.from_numpy(np.concatenate([[text.end_of_document_id], text.tokens]))
    device = next(model.parameters()).device
    nats = 0.0
    scored = 0
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode(), autocast or nullcontext():
            for batch in _batches(len(text.tokens), model.context, stride):
                rows = torch.stack([stream[window.start : window.stop + 1] for window in batch]).to(device)
                skip = batch[0].skip
                seen = rows[:, :-1]
                documents = Documents(seen == text.end_of_document_id) if documents_apart else None
                nats += model.summed_loss(seen, rows[:, 1:], skip, documents).item()
                scored += sum(window.stop - window.start - skip for window in batch)
                if progress is not None:
                    progress.step("evaluate", scored, len(text.tokens))
    finally:
        model.train(was_training)
    return Bits(nats / math.log(2), total_bytes, scored, text.documents)


def _batches(tokens: int, context: int, stride: int) -> Iterator[list[Window]]:
    """Neighbouring windows of equal length and skip, as many as one forward pass takes."""
    size = max(1, _BATCH_TOKENS // context)
    for _, alike in groupby(windows(tokens, context, stride), key=lambda w: (w.stop - w.start, w.skip)):
        equal = list(alike)
        yield from (equal[i : i + size] for i in range(0, len(equal), size))
