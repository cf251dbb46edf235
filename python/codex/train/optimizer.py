"""Which parameter is learned by which rule, and the state of both rules as named tensors.

`build_optimizer` is the function to start from. Muon takes the weight matrices inside the layers; AdamW takes the rest
(embedding, norms, head), or everything where `train.optimizer` is `adamw`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from codex.config.schema import Train
from codex.errors import DamageError
from codex.train.muon import Muon

__all__ = ["Optimizer", "build_optimizer", "is_layer_matrix"]

_BETAS = (0.9, 0.95)


def is_layer_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a weight matrix inside a layer: what Muon is for, and what is decayed.

    >>> is_layer_matrix("model.embed_tokens.weight", torch.ones(4, 2))
    False
    """
    return parameter.ndim == 2 and ".layers." in name


def build_optimizer(model: nn.Module, config: Train) -> Optimizer:
    """The optimizer that `config` asks for, over every parameter of `model`; only layer matrices are decayed."""
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if is_layer_matrix(name, p)]
    rest = [p for name, p in named.items() if not is_layer_matrix(name, p)]
    if config.optimizer == "muon":
        muon = Muon(matrices, learning_rate=config.learning_rate, weight_decay=config.weight_decay)
        groups = [{"params": rest, "weight_decay": 0.0}]
        rules: list[torch.optim.Optimizer] = [muon]
    else:
        groups = [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        rules = []
    rules.append(torch.optim.AdamW(groups, lr=config.adam_learning_rate, betas=_BETAS, fused=True))
    return Optimizer(named, rules)


class Optimizer:
    """One or two update rules, stepped together.

    Args:
        named: every parameter, by the name it is saved under.
        rules: between them they hold each parameter once; their learning rates now are the highest.
    """

    def __init__(self, named: Mapping[str, nn.Parameter], rules: list[torch.optim.Optimizer]) -> None:
        self._named = dict(named)
        self._rules = rules
        self._highest = [[group["lr"] for group in rule.param_groups] for rule in rules]

    def step(self, factor: float) -> None:
        """Update every parameter at `factor` times the highest rates, and forget the gradients."""
        for rule, rates in zip(self._rules, self._highest, strict=True):
            for group, rate in zip(rule.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            rule.step()
            rule.zero_grad(set_to_none=True)

    def state_tensors(self) -> dict[str, Tensor]:
        """All that an update needs beside weights and gradients, as `<parameter>.<what>`; empty before the first."""
        return {f"{name}.{what}": tensor for name, state in self._states() for what, tensor in state.items()}

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `state_tensors` gave.

        Raises:
            DamageError: if a tensor belongs to no parameter, or has another shape than its parameter.
        """
        fresh: dict[str, dict[str, Tensor]] = {name: {} for name in self._named}
        for key, tensor in tensors.items():
            name, _, what = key.rpartition(".")
            if name not in fresh or (tensor.ndim and tensor.shape != self._named[name].shape):
                raise DamageError(
                    f"optimizer state `{key}` {tuple(tensor.shape)} fits no parameter of this model"
                )
            fresh[name][what] = (
                tensor.clone() if tensor.ndim == 0 else tensor.to(self._named[name].device, copy=True)
            )
        for rule in self._rules:
            for group in rule.param_groups:
                for parameter in group["params"]:
                    rule.state[parameter] = fresh[self._name_of(parameter)]

    def _states(self) -> Iterator[tuple[str, Mapping[str, Tensor]]]:
        for name, parameter in self._named.items():
            for rule in self._rules:
                if parameter in rule.state:
                    yield name, rule.state[parameter]

    def _name_of(self, parameter: nn.Parameter) -> str:
        return next(name for name, other in self._named.items() if other is parameter)
