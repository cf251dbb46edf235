"""AdamW: each number learns at a rate of its own, set by how large its gradients have been.

torch has the same rule; this one has no machinery around it (importing that of torch takes seconds), and its bias
correction counts the steps of the run, so that there is one number less to keep.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["AdamW"]


class AdamW:
    """Running means of gradient and squared gradient; weight decay is decoupled from both.

    Args:
        named: parameters of any shape, by the names their state is kept under.
        learning_rate: the largest change of a number in a step, about.
        betas: share of each running mean kept at each step.
        epsilon: added to the root of the squares.
        weight_decay: share of the weight lost at each step, in units of the learning rate.
    Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2; Kingma and Ba 2015.

    >>> weight = nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([1.0, -5.0])
    >>> AdamW({"weight": weight}, learning_rate=0.1).step(0, 1.0)
    >>> [round(number, 3) for number in weight.tolist()]
    [0.9, 1.1]
    """

    def __init__(
        self,
        named: Mapping[str, nn.Parameter],
        *,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.95),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self._parameters = dict(named)
        self._learning_rate = learning_rate
        self._betas = betas
        self._epsilon = epsilon
        self._weight_decay = weight_decay
        self.state = {
            f"{name}.{what}": torch.zeros_like(parameter, requires_grad=False)
            for name, parameter in named.items()
            for what in ("mean", "square")
        }
        """The running means; they may be written to, not replaced."""

    @torch.no_grad()
    def step(self, step: int, factor: float) -> None:
        """Update every parameter that has a gradient, at `factor` times the learning rate, after `step` earlier updates."""
        ready = {name: p for name, p in self._parameters.items() if p.grad is not None}
        if not ready:
            return
        weights: list[Tensor] = list(ready.values())
        gradients = [p.grad for p in weights if p.grad is not None]
        means = [self.state[f"{name}.mean"] for name in ready]
        squares = [self.state[f"{name}.square"] for name in ready]
        rate = self._learning_rate * factor
        keep_mean, keep_square = self._betas
        torch._foreach_lerp_(means, gradients, 1 - keep_mean)
        torch._foreach_mul_(squares, keep_square)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - keep_square)
        # Both means began at zero: divide by the weight that real gradients have in them.
        mean_share, square_share = 1 - keep_mean ** (step + 1), 1 - keep_square ** (step + 1)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, square_share**0.5)
        torch._foreach_add_(roots, self._epsilon)
        torch._foreach_mul_(weights, 1 - rate * self._weight_decay)
        torch._foreach_addcdiv_(weights, means, roots, value=-rate / mean_share)
