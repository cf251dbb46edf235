"""Which kernel runs: the one place that chooses, and says once what it chose and why.

B batch, T queries, S keys, H query heads, K key-value heads, D head size; N tokens, V vocabulary. Models call the two
functions below. `reference` switches every operation to its slow twin, to see what a kernel does to an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from codex.errors import ShapeError
from codex.kernels.attention import reference as attention_reference
from codex.kernels.attention.documents import Documents
from codex.kernels.loss import chunked as loss_chunked
from codex.kernels.loss import reference as loss_reference

__all__ = ["Choice", "attend", "choose", "reference", "summed_losses"]

_LOG = logging.getLogger("codex.kernels")
_use_reference: ContextVar[bool] = ContextVar("codex_use_reference", default=False)


class Choice(NamedTuple):
    """What runs for an operation, and why."""

    name: str
    reason: str


_FAST = {
    "attention": Choice("torch", "scaled_dot_product_attention keeps no (T, T) matrix"),
    "loss": Choice("chunked", f"logits of {loss_chunked.CHUNK_TOKENS} tokens at a time instead of all"),
}


def choose(operation: str) -> Choice:
    """The kernel that runs for `attention` or `loss`.

    >>> choose("loss").name
    'chunked'
    """
    if _use_reference.get():
        return Choice("reference", "asked for")
    _say_once(operation)
    return _FAST[operation]


@cache
def _say_once(operation: str) -> None:
    _LOG.info("%s: %s (%s)", operation, *_FAST[operation])


@contextmanager
def reference() -> Iterator[None]:
    """Inside this block every operation runs its reference.

    >>> with reference():
    ...     choose("attention").name
    'reference'
    """
    token = _use_reference.set(True)
    try:
        yield
    finally:
        _use_reference.reset(token)


def attend(q: Tensor, k: Tensor, v: Tensor, documents: Documents | None = None) -> Tensor:
    """Causal attention; query i stands at position S - T + i.

    Args:
        q: (B, T, H, D).
        k, v: (B, S, K, D), S >= T, H a multiple of K.
        documents: of packed rows, S = T: a query sees no key of another document.
    Returns:
        (B, T, H, D), dtype of q.
    Raises:
        ShapeError: if the shapes do not fit together.

    >>> attend(torch.ones(1, 3, 2, 4), torch.ones(1, 3, 1, 4), torch.ones(1, 3, 1, 4)).shape
    torch.Size([1, 3, 2, 4])
    """
    if k.shape != v.shape or q.shape[1] > k.shape[1] or q.shape[2] % k.shape[2] or q.shape[3] != k.shape[3]:
        shapes = " ".join(f"{name}={tuple(x.shape)}" for name, x in (("q", q), ("k", k), ("v", v)))
        raise ShapeError(
            f"`attend` got {shapes}, expected q (B, T, H, D) and k, v (B, S, K, D), S >= T, H a multiple of K"
        )
    if documents is not None and not documents.numbers.shape == q.shape[:2] == k.shape[:2]:
        raise ShapeError(
            f"`attend` got documents {tuple(documents.numbers.shape)} for q {tuple(q.shape)} and k {tuple(k.shape)}, "
            "expected (B, T) of all three"
        )
    if choose("attention").name == "reference":
        return attention_reference.attend(q, k, v, documents)
    groups = q.shape[2] // k.shape[2]
    if groups > 1:
        k, v = k.repeat_interleave(groups, dim=2), v.repeat_interleave(groups, dim=2)
    queries, keys = q.shape[1], k.shape[1]
    mask = None if documents is None else documents.visible
    if 1 < queries < keys:
        mask = torch.ones(queries, keys, dtype=torch.bool, device=q.device).tril(keys - queries)
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None and queries == keys)
    return out.transpose(1, 2)


def summed_losses(
    hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float = 0.0
) -> tuple[Tensor, Tensor]:
    """What is learned from, and the cross-entropy in it, from the last hidden states and the head: sums, in nats.

    Args:
        hidden: (N, D).
        weight: (V, D).
        targets: (N,) int64 in [0, V).
        z_loss: weight of the squared ln sum exp(logits); 0 leaves the cross-entropy.
    Returns:
        Two float32 scalars: cross-entropy plus z-loss, and the cross-entropy -ln p(target) alone, without a gradient.
    Raises:
        ShapeError: if the shapes do not fit together.

    >>> summed_losses(torch.zeros(2, 3), torch.ones(4, 3), torch.tensor([0, 3]))[0].item()  # 2 ln 4
    2.7725887298583984
    """
    if hidden.ndim != 2 or hidden.shape[1] != weight.shape[1] or targets.shape != hidden.shape[:1]:
        shapes = f"hidden={tuple(hidden.shape)} weight={tuple(weight.shape)} targets={tuple(targets.shape)}"
        raise ShapeError(f"`summed_losses` got {shapes}, expected (N, D), (V, D) and (N,)")
    kernel = loss_reference if choose("loss").name == "reference" else loss_chunked
    losses: tuple[Tensor, Tensor] = kernel.summed_losses(hidden, weight, targets, z_loss)
    return losses
