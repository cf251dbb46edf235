"""Muon: momentum whose every update is made nearly orthogonal, for the weight matrices inside the layers.

A gradient step on a matrix is dominated by a few directions; Muon replaces the step by the nearest matrix whose singular
values are all about one, so that rare directions learn as fast as common ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

__all__ = ["Muon", "orthogonalize"]

# a, b, c of p(s) = a s + b s^3 + c s^5: five rounds take singular values in (0, 1] to about 0.7 .. 1.2.
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


def orthogonalize(matrices: Tensor) -> Tensor:
    """The nearest semi-orthogonal matrix U V^T of each U S V^T, roughly: singular values end in about [0.7, 1.2].

    Args:
        matrices: (N, rows, columns), one dtype; all N are worked on at once. On CUDA the products run in bfloat16, which
            the iteration is built to bear; elsewhere in the dtype given.
    Returns:
        (N, rows, columns), same dtype.
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks", the quintic Newton-Schulz
        iteration and its coefficients; Bernstein and Newhouse 2024 for the iteration's origin.

    >>> orthogonalize(2 * torch.eye(2)[None])[0].diagonal().sub(1).abs().max().item() < 0.35
    True
    """
    a, b, c = _COEFFICIENTS
    x = matrices.bfloat16() if matrices.is_cuda else matrices
    is_tall = x.shape[1] > x.shape[2]
    x = x.mT if is_tall else x
    x = x / (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    result: Tensor = (x.mT if is_tall else x).to(matrices.dtype)
    return result


class Muon:
    """Momentum, Nesterov's way, then `orthogonalize`; weight decay is decoupled from the gradient, as in AdamW.

    A matrix with more outputs than inputs takes sqrt(outputs / inputs) times the rate, so that one rate serves every shape.

    Args:
        named: two-dimensional parameters, by the names their state is kept under.
        learning_rate: about 0.02 whatever the width.
        momentum: share of the running gradient kept at each step.
        weight_decay: share of the weight lost at each step, in units of the learning rate.
        has_input_first: whether the matrices lie as (in, out), and not as torch's (out, in).
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".

    >>> weight = nn.Parameter(torch.eye(2))
    >>> weight.grad = torch.eye(2)
    >>> Muon({"weight": weight}, learning_rate=0.1).step(0, 1.0)
    >>> bool(weight[0, 0] < 1)
    True
    """

    def __init__(
        self,
        named: Mapping[str, nn.Parameter],
        *,
        learning_rate: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        has_input_first: bool = False,
    ) -> None:
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._weight_decay = weight_decay
        self._has_input_first = has_input_first
        self.state = {
            f"{name}.momentum": torch.zeros_like(p, requires_grad=False) for name, p in named.items()
        }
        """The running gradients; they may be written to, not replaced."""
        self._by_shape: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
        for name, parameter in named.items():
            self._by_shape[parameter.shape].append((parameter, self.state[f"{name}.momentum"]))

    @torch.no_grad()
    def step(self, step: int, factor: float) -> None:
        """Update every parameter that has a gradient, at `factor` times the learning rate."""
        for pairs in self._by_shape.values():
            ready = [(parameter, running) for parameter, running in pairs if parameter.grad is not None]
            if ready:
                self._step_alike(
                    [p for p, _ in ready], [running for _, running in ready], self._learning_rate * factor
                )

    def _step_alike(self, parameters: list[Tensor], running: list[Tensor], rate: float) -> None:
        """Update parameters of one shape together: few large products instead of many small ones."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        torch._foreach_lerp_(running, gradients, 1 - self._momentum)
        ahead = torch._foreach_lerp(gradients, running, self._momentum)
        updates = orthogonalize(torch.stack(ahead))
        rows, columns = updates.shape[1:]
        growth = columns / rows if self._has_input_first else rows / columns
        torch._foreach_mul_(parameters, 1 - rate * self._weight_decay)
        torch._foreach_add_(parameters, list(updates.unbind()), alpha=-rate * max(1.0, growth) ** 0.5)
