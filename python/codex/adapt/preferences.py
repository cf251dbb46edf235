"""DPO: the answer that was chosen gains on the one that was rejected, both held against the model without its adapter.

B rows, T time. Rows come in pairs, the chosen answer before the rejected one.
Source: Rafailov et al. 2023, "Direct Preference Optimization", equation 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["preference_losses", "without_adapter"]


class _Model(Protocol):
    def modules(self) -> Iterator[nn.Module]: ...

    def row_log_probabilities(self, tokens: Tensor, targets: Tensor, learned: Tensor) -> Tensor: ...


def preference_losses(
    model: _Model, tokens: Tensor, targets: Tensor, learned: Tensor, *, beta: float
) -> tuple[Tensor, Tensor]:
    """What is learned from some pairs.

    Args:
        model: with an adapter from `attach`.
        tokens, targets: (B, T) int64, rows 0, 2, 4 ... chosen, each followed by the rejected one.
        learned: (B, T) bool, the tokens of the answers.
        beta: how much it costs to leave what the model is without the adapter.
    Returns:
        Two scalars: the sum of -ln sigmoid(beta x margin) over the pairs, and the number of pairs whose margin is above zero,
        without a gradient.
    """
    with torch.no_grad(), without_adapter(model):
        before = model.row_log_probabilities(tokens, targets, learned)
    gains = model.row_log_probabilities(tokens, targets, learned) - before
    margins = gains[0::2] - gains[1::2]
    return -F.logsigmoid(beta * margins).sum(), (margins.detach() > 0).sum()


@contextmanager
def without_adapter(model: _Model) -> Iterator[None]:
    """A block in which the model answers as the weights below its adapter do."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
    for layer in layers:
        layer.enable_adapters(enabled=False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(enabled=True)
