"""Linear head and cross-entropy as the formula says it, with all (N, V) logits in memory.

N tokens, D width, V vocabulary. The slow twin of `chunked.py`.
"""

from __future__ import annotations

from torch import Tensor

__all__ = ["summed_losses"]


def summed_losses(
    hidden: Tensor, weight: Tensor, targets: Tensor, z_loss: float = 0.0
) -> tuple[Tensor, Tensor]:
    """What is learned from, and the cross-entropy in it: sums over all tokens, in nats.

    Args:
        hidden: (N, D).
        weight: (V, D), the head.
        targets: (N,) int64 in [0, V).
        z_loss: weight of the squared ln sum exp(logits), which keeps logits from growing without an effect.
    Returns:
        Two float32 scalars, sums, so that the caller decides what they are a mean over: cross-entropy plus z-loss, and
        the cross-entropy -ln p(target) alone, without a gradient.
    Source: Chowdhery et al. 2022, "PaLM", section 5, for the z-loss; there its weight is 1e-4.

    >>> import torch
    >>> total, cross_entropy = summed_losses(torch.zeros(2, 3), torch.ones(4, 3), torch.tensor([0, 3]), 0.5)
    >>> cross_entropy.item(), (total - cross_entropy).item()  # 2 ln 4, and ln 4 squared
    (2.7725887298583984, 1.9218120574951172)
    """
    logits = (hidden @ weight.T).float()
    log_sums = logits.logsumexp(dim=1)
    cross_entropy = (log_sums - logits.gather(1, targets[:, None])[:, 0]).sum()
    return cross_entropy + z_loss * log_sums.square().sum(), cross_entropy.detach()
