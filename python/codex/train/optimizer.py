"""Which parameter is learned by which rule, and the state of all rules as named tensors.

`build_optimizer` is the function to start from. Muon takes the weight matrices inside the layers; AdamW takes the rest
(embedding, norms, head), or everything where `train.optimizer` is `adamw`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor, nn

from codex.config.schema import Train
from codex.errors import DamageError
from codex.models.causal import CausalModel
from codex.train.adamw import AdamW
from codex.train.muon import Muon

__all__ = ["Optimizer", "Rule", "build_optimizer", "is_layer_matrix"]

_IN_A_LAYER = re.compile(r"\.\d+\.")


class Rule(Protocol):
    """How some parameters are updated."""

    state: dict[str, Tensor]
    """All it needs beside weights and gradients, by name; never replaced, only written to."""

    def step(self, step: int, factor: float) -> None:
        """Update at `factor` times the highest rate, after `step` earlier updates."""


def is_layer_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is a weight matrix inside a layer, by the number in its name: what Muon is for, and what is decayed.

    >>> import torch
    >>> is_layer_matrix("model.embed_tokens.weight", torch.ones(4, 2))
    False
    """
    return parameter.ndim == 2 and _IN_A_LAYER.search(name) is not None


def build_optimizer(model: CausalModel, config: Train) -> Optimizer:
    """The optimizer that `config` asks for, over every parameter of `model` that is learned; only layer matrices are decayed."""
    named = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    matrices = {name: p for name, p in named.items() if is_layer_matrix(name, p)}
    rest = {name: p for name, p in named.items() if name not in matrices}
    decay, adam_rate = config.weight_decay, config.adam_learning_rate
    rule: Rule
    if config.optimizer == "muon":
        rule = Muon(
            matrices,
            learning_rate=config.learning_rate,
            weight_decay=decay,
            has_input_first=model.has_input_first,
        )
    else:
        rule = AdamW(matrices, learning_rate=adam_rate, weight_decay=decay)
    return Optimizer(list(named.values()), [rule, AdamW(rest, learning_rate=adam_rate)])


class Optimizer:
    """Some rules that hold every parameter once between them, stepped together."""

    def __init__(self, parameters: Sequence[nn.Parameter], rules: Sequence[Rule]) -> None:
        self._parameters = parameters
        self._rules = rules

    def step(self, step: int, factor: float) -> None:
        """Update every parameter at `factor` times the highest rates, after `step` updates, and forget the gradients."""
        for rule in self._rules:
            rule.step(step, factor)
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Update nothing."""
        for parameter in self._parameters:
            parameter.grad = None

    def state_tensors(self) -> dict[str, Tensor]:
        """All that an update needs beside weights and gradients, as `<parameter>.<what>`; not copied."""
        return {name: tensor for rule in self._rules for name, tensor in rule.state.items()}

    def load_state_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `state_tensors` gave; copies.

        Raises:
            DamageError: if a tensor is missing, of another shape, or belongs to nothing.
        """
        own = self.state_tensors()
        for name in own.keys() | tensors.keys():
            have = tuple(tensors[name].shape) if name in tensors else "absent"
            want = tuple(own[name].shape) if name in own else "absent"
            if have != want:
                raise DamageError(f"optimizer state `{name}` is {have}, expected {want}")
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
