"""What every language model here is: tokens to logits, or to the loss of the tokens that follow.

B batch, T time, D width, V vocabulary. An architecture is a class over `CausalModel` that says how tokens become hidden
states; what is done with those is the same for all and stands here. A package adds one of its own under the entry points
`codex.models`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from codex.errors import ShapeError
from codex.kernels import dispatch
from codex.kernels.attention.documents import Documents
from codex.models.cache import Cache

__all__ = ["CausalModel", "ModelConfig"]


class ModelConfig(Protocol):
    """What architectures read of `config.model`; see `codex config show model` for what each field means."""

    name: str
    width: int
    layers: int
    heads: int
    key_value_heads: int
    context: int
    feed_forward_width: int
    tie_embeddings: bool
    qk_norm: bool
    rope_theta: float
    norm_epsilon: float
    dropout: float


class CausalModel(nn.Module, ABC):
    """A causal language model.

    Args:
        config: `config.model`.
        vocabulary_size: rows of the embedding.
    Raises:
        ShapeError: if heads do not divide width, key-value heads do not divide heads, or a head's size is odd.
    """

    #: Whether matrices inside the layers lie as (in, out), as GPT-2's do, and not as torch's (out, in).
    has_input_first: ClassVar[bool] = False

    #: Set by each architecture, as `make_head` makes it; None where the embedding is the head too.
    lm_head: nn.Linear | None

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        _check(config)
        self.config = config
        self.vocabulary_size = vocabulary_size

    @property
    @abstractmethod
    def embedding(self) -> nn.Embedding:
        """The vectors of tokens: its weight is (V, D)."""

    @abstractmethod
    def hidden(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        """What the head makes logits of.

        Args:
            tokens: (B, T) int64, at most `context` with those in the cache.
            cache: keys and values of earlier positions; extended in place.
            documents: of packed rows; no token sees one of another document.
        Returns:
            (B, T, D), after the last norm.
        """

    def make_head(self) -> nn.Linear | None:
        """An output layer of its own, if `tie_embeddings` is not set."""
        if self.config.tie_embeddings:
            return None
        return nn.Linear(self.config.width, self.vocabulary_size, bias=False)

    @property
    def head_weight(self) -> Tensor:
        """(V, D): the head's own weight, or the embedding's where they are tied."""
        return self.embedding.weight if self.lm_head is None else self.lm_head.weight

    @property
    def context(self) -> int:
        """How many positions it can see at once."""
        return self.config.context

    @property
    def parameter_count(self) -> int:
        """Weights, tied ones counted once."""
        return sum(p.numel() for p in self.parameters())

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits of the next token at every position.

        Args:
            tokens: (B, T) int64; with a cache, the tokens after those it holds.
            cache: keys and values of earlier positions; extended in place.
        Returns:
            (B, T, V). For a loss use `summed_loss`, which never holds them all.
        Raises:
            ShapeError: if more than `context` positions would be seen.
        """
        return F.linear(self._hidden(tokens, cache), self.head_weight)

    def next_logits(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """As `forward`, the last position only: (B, V)."""
        return F.linear(self._hidden(tokens, cache)[:, -1], self.head_weight)

    def summed_loss(
        self, tokens: Tensor, targets: Tensor, skip: int = 0, documents: Documents | None = None
    ) -> Tensor:
        """Sum of -ln p(target), in nats, over positions `skip` and later.

        Args:
            tokens, targets: (B, T) int64; targets[b, t] follows tokens[b, t].
            skip: positions at the start of each row that are seen but not scored.
            documents: of packed rows; no token sees one of another document. Default: a row is one text.
        Returns:
            A float32 scalar: divide by the number of targets for a mean, by ln 2 for bits.
        """
        hidden = self._hidden(tokens, None, documents)[:, skip:].flatten(0, 1)
        return dispatch.summed_losses(hidden, self.head_weight, targets[:, skip:].flatten())[0]

    def summed_losses(
        self,
        tokens: Tensor,
        targets: Tensor,
        *,
        documents: Documents | None = None,
        z_loss: float = 0.0,
        learned: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What is learned from: `summed_loss` plus `z_loss` times the squared ln sum exp(logits) of each position.

        Args:
            tokens, targets, documents: as in `summed_loss`.
            z_loss: its weight.
            learned: (B, T) bool, the positions that count; the others are seen alone. Default: all.
        Returns:
            Two float32 scalars: the sum of both, and `summed_loss` alone, without a gradient.
        """
        hidden = self._hidden(tokens, None, documents)
        if learned is not None:
            return dispatch.summed_losses(hidden[learned], self.head_weight, targets[learned], z_loss)
        return dispatch.summed_losses(hidden.flatten(0, 1), self.head_weight, targets.flatten(), z_loss)

    def row_log_probabilities(self, tokens: Tensor, targets: Tensor, learned: Tensor) -> Tensor:
        """ln p of the targets that count, summed over each row: (B,) float32.

        Args:
            tokens, targets: as in `summed_loss`.
            learned: (B, T) bool, the positions that count; their logits are held all at once.
        """
        logits = F.linear(self._hidden(tokens, None)[learned], self.head_weight).float()
        nats = F.cross_entropy(logits, targets[learned], reduction="none")
        return nats.new_zeros(len(tokens)).index_add(0, learned.nonzero()[:, 0], -nats)

    def _hidden(self, tokens: Tensor, cache: Cache | None, documents: Documents | None = None) -> Tensor:
        seen = tokens.shape[1] + (0 if cache is None else cache.length)
        if seen > self.context:
            raise ShapeError(
                f"`tokens` reach position {seen}, expected at most `model.context` = {self.context}"
            )
        return self.hidden(tokens, cache, documents)


def _check(config: ModelConfig) -> None:
    width, heads, shared = config.width, config.heads, config.key_value_heads
    if width % heads or (width // heads) % 2:
        raise ShapeError(
            f"`model.width` is {width} with {heads} `model.heads`, expected an even number of dimensions a head",
            hint=f"use a width that is a multiple of {2 * heads}",
        )
    if heads % shared:
        raise ShapeError(
            f"`model.key_value_heads` is {shared}, expected a divisor of `model.heads` = {heads}"
        )
