"""Causal attention as the formula says it, with the whole (T, S) matrix in memory.

B batch, T queries, S keys, H query heads, K key-value heads, D head size. The slow twin of what `dispatch.attend` chooses.
"""

from __future__ import annotations

import torch
from torch import Tensor

from codex.kernels.attention.documents import Documents

__all__ = ["attend"]


def attend(q: Tensor, k: Tensor, v: Tensor, documents: Documents | None = None) -> Tensor:
    """Let every query look at its own position and at those before it.

    Query i stands at position S - T + i: with a cache of earlier keys T is smaller than S.

    Args:
        q: (B, T, H, D).
        k, v: (B, S, K, D), S >= T, H a multiple of K; each key-value head serves H / K query heads.
        documents: of packed rows, S = T: a query sees no key of another document.
    Returns:
        (B, T, H, D).
    Source: Vaswani et al. 2017, "Attention Is All You Need", section 3.2.1; Ainslie et al. 2023, "GQA", section 2.2.

    >>> q = k = v = torch.ones(1, 3, 1, 2)
    >>> attend(q, k, v).shape
    torch.Size([1, 3, 1, 2])
    """
    groups = q.shape[2] // k.shape[2]
    k, v = k.repeat_interleave(groups, dim=2), v.repeat_interleave(groups, dim=2)
    scores = torch.einsum("bthd,bshd->bhts", q, k) * q.shape[-1] ** -0.5
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(
        1 + k.shape[1] - q.shape[1]
    )
    if documents is not None:
        numbers = documents.numbers
        hidden = hidden | (numbers[:, None, :, None] != numbers[:, None, None, :])
    weights = scores.masked_fill(hidden, float("-inf")).softmax(dim=-1)
    return torch.einsum("bhts,bshd->bthd", weights, v)
