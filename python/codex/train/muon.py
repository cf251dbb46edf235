"""Muon: momentum whose every update is made nearly orthogonal, for the weight matrices inside the layers.

A gradient step on a matrix is dominated by a few directions; Muon replaces the step by the nearest matrix whose singular
values are all about one, so that rare directions learn as fast as common ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

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
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / (torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = (x if wide else x.mT).to(matrices.dtype)
    return result


class Muon(torch.optim.Optimizer):
    """Momentum, Nesterov's way, then `orthogonalize`; decay is decoupled from the gradient, as in AdamW.

    The learning rate counts root-mean-square change of a square weight in units of 1 / sqrt(width); a tall matrix takes
    sqrt(rows / columns) times that, so that one rate serves every shape.

    Args:
        params: two-dimensional parameters.
        learning_rate: about 0.02 whatever the width.
        momentum: share of the running gradient kept at each step.
        weight_decay: share of the weight lost at each step, in units of the learning rate.
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks".

    >>> weight = nn.Parameter(torch.eye(2))
    >>> weight.grad = torch.eye(2)
    >>> Muon([weight], learning_rate=0.1).step()
    >>> bool(weight[0, 0] < 1)
    True
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        *,
        learning_rate: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": learning_rate, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient; `closure` is not taken."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for parameters in by_shape.values():
                self._step_same_shape(parameters, group)

    def _step_same_shape(self, parameters: list[nn.Parameter], group: dict[str, Any]) -> None:
        gradients = [p.grad for p in parameters if p.grad is not None]
        buffers = [self._buffer(p) for p in parameters]
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, buffers, group["momentum"])
        updates = orthogonalize(torch.stack(ahead))
        rows, columns = updates.shape[1:]
        rate = group["lr"] * max(1.0, rows / columns) ** 0.5
        weights: list[Tensor] = [*parameters]
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(weights, list(updates.unbind()), alpha=-rate)

    def _buffer(self, parameter: nn.Parameter) -> Tensor:
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        buffer: Tensor = state["momentum"]
        return buffer
