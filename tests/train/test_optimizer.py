"""AdamW against torch's, who learns by which rule, and the state of both."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import torch
from torch import nn

from codex.config.schema import Model, Train
from codex.errors import DamageError
from codex.models import build
from codex.models.causal import CausalModel
from codex.train.adamw import AdamW
from codex.train.optimizer import Optimizer, build_optimizer

SMALL = Model(
    width=16, layers=2, heads=2, key_value_heads=1, context=8, feed_forward_width=24, tie_embeddings=False
)


#: Its matrices are the four of a layer that transformers writes as (in, out).
GPT2 = SMALL.model_copy(update={"name": "gpt2", "key_value_heads": 2, "qk_norm": False})


def _model(shape: Model = SMALL) -> CausalModel:
    torch.manual_seed(0)
    model = build(shape, 40)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)  # no block is the identity
    return model


def _layer_matrices(names: Iterable[str]) -> set[str]:
    kinds = ("_proj.weight", "c_attn.weight", "c_fc.weight")
    return {name for name in names if name.endswith(kinds)}


def _give_gradients(model: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_adamw_walks_where_torch_walks() -> None:
    generator = torch.Generator().manual_seed(1)
    start = [torch.randn(shape, generator=generator) for shape in ((7,), (5, 3), (1, 1))]
    ours = {str(number): nn.Parameter(value.clone()) for number, value in enumerate(start)}
    theirs = [nn.Parameter(value.clone()) for value in start]
    rule = AdamW(ours, learning_rate=0.03, betas=(0.8, 0.9), epsilon=1e-6, weight_decay=0.2)
    oracle = torch.optim.AdamW(theirs, lr=0.03, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.2)
    for step in range(25):
        factor = 1 / (1 + step)
        for mine, other in zip(ours.values(), theirs, strict=True):
            mine.grad = torch.randn(mine.shape, generator=generator)
            other.grad = mine.grad.clone()
        oracle.param_groups[0]["lr"] = 0.03 * factor
        rule.step(step, factor)
        oracle.step()
    for mine, other in zip(ours.values(), theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [SMALL, GPT2], ids=lambda shape: shape.name)
@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_every_parameter_is_learned_once(name: str, shape: Model) -> None:
    model = _model(shape)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = build_optimizer(model, Train(optimizer=name))
    _give_gradients(model, 1)
    optimizer.step(0, 1.0)
    for key, value in model.state_dict().items():
        assert not torch.equal(before[key], value), f"{key} did not move"
    owners = [key.rpartition(".")[0] for key in optimizer.state_tensors()]
    assert set(owners) == set(before)
    if name == "muon":
        by_muon = {key.rpartition(".")[0] for key in optimizer.state_tensors() if key.endswith(".momentum")}
        assert by_muon == _layer_matrices(before)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("shape", [SMALL, GPT2], ids=lambda shape: shape.name)
@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_only_matrices_inside_the_layers_decay(name: str, shape: Model) -> None:
    model = _model(shape)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = build_optimizer(model, Train(optimizer=name, weight_decay=0.5))
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step(0, 1.0)
    decayed = {key for key, value in model.state_dict().items() if not torch.equal(before[key], value)}
    assert decayed == _layer_matrices(before)


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_state_put_back_goes_on_to_the_bit(name: str) -> None:
    config = Train(optimizer=name)
    model, twin = _model(), _model()
    optimizer, other = build_optimizer(model, config), build_optimizer(twin, config)
    for step in range(4):
        _give_gradients(model, step)
        optimizer.step(step, 0.5)
        if step == 1:
            twin.load_state_dict(model.state_dict())
            other.load_state_tensors({key: value.clone() for key, value in optimizer.state_tensors().items()})
        if step > 1:
            _give_gradients(twin, step)
            other.step(step, 0.5)
    for key, value in model.state_dict().items():
        assert torch.equal(value, twin.state_dict()[key]), key


@pytest.mark.parametrize("fault", ["missing", "strange", "shape"])
def test_state_that_does_not_fit_is_named(fault: str) -> None:
    optimizer: Optimizer = build_optimizer(_model(), Train())
    tensors = dict(optimizer.state_tensors())
    key = next(iter(tensors))
    if fault == "missing":
        del tensors[key]
    elif fault == "shape":
        tensors[key] = torch.zeros(3)
    else:
        key = "stranger.mean"
        tensors[key] = torch.zeros(3)
    with pytest.raises(DamageError, match=key.replace(".", r"\.")):
        optimizer.load_state_tensors(tensors)
