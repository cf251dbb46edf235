"""Linear head and cross-entropy as the formula says it, with all (N, V) logits in memory.

N tokens, D width, V vocabulary. The slow twin of `chunked.py`.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["summed_cross_entropy"]


def summed_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Sum of -ln p(target) over all tokens, in nats.

    Args:
        hidden: (N, D).
        weight: (V, D), the head.
        targets: (N,) int64 in [0, V).
    Returns:
        A float32 scalar: a sum, so that the caller decides what it is a mean over.

    >>> import torch
    >>> summed_cross_entropy(torch.zeros(2, 3), torch.ones(4, 3), torch.tensor([0, 3])).item()  # 2 ln 4
    2.7725887298583984
    """
    logits = (hidden @ weight.T).float()
    picked = logits.gather(1, targets[:, None])[:, 0]
    return (logits.logsumexp(dim=1) - picked).sum()
