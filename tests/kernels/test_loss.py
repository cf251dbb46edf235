"""The chunked loss against the formula, forward and backward; and that it never holds all logits."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from codex.errors import ShapeError
from codex.kernels import dispatch
from codex.kernels.loss import chunked, reference

TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2}


def _draw(tokens: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(tokens)
    hidden = torch.randn(tokens, 24, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(513, 24, generator=generator).to(dtype).requires_grad_()
    return hidden, weight, torch.randint(513, (tokens,), generator=generator)


@pytest.mark.parametrize("z_loss", [0.0, 0.05])
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("tokens", [1, 7, 123, 128, 129, 255, 256, 257, 700])
def test_loss_and_gradients_equal_the_reference(tokens: int, dtype: torch.dtype, z_loss: float) -> None:
    hidden, weight, targets = _draw(tokens, dtype)
    answers = []
    for kernel in (chunked, reference):
        loss, cross_entropy = kernel.summed_losses(hidden, weight, targets, z_loss)
        assert loss.dtype == cross_entropy.dtype == torch.float32 and not cross_entropy.requires_grad
        assert (loss.item() == cross_entropy.item()) == (z_loss == 0)
        gradients = torch.autograd.grad(loss / 3, (hidden, weight))
        answers.append([loss.detach(), cross_entropy, *gradients])
    for fast, slow in zip(*answers, strict=True):
        assert fast.dtype == slow.dtype
        scale = slow.abs().max().item()
        torch.testing.assert_close(fast, slow, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


def test_large_logits_do_not_overflow() -> None:
    hidden, weight, targets = _draw(300, torch.float32)
    loss, _ = chunked.summed_losses(hidden * 1e4, weight, targets)
    torch.testing.assert_close(loss, reference.summed_losses(hidden * 1e4, weight, targets)[0])
    assert torch.isfinite(loss)


def test_only_the_hidden_states_may_want_a_gradient() -> None:
    hidden, weight, targets = _draw(20, torch.float32)
    loss, _ = chunked.summed_losses(hidden, weight.detach(), targets)
    (gradient,) = torch.autograd.grad(loss, hidden)
    (expected,) = torch.autograd.grad(reference.summed_losses(hidden, weight, targets)[0], hidden)
    torch.testing.assert_close(gradient, expected)


class _Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation makes."""

    elements = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, tuple | list) else [made]:
            if isinstance(tensor, torch.Tensor):
                self.elements = max(self.elements, tensor.numel())
        return made


@pytest.mark.parametrize("with_gradient", [False, True])
def test_no_tensor_is_as_large_as_all_logits(with_gradient: bool) -> None:
    hidden, weight, targets = _draw(2000, torch.float32)
    with torch.set_grad_enabled(with_gradient), _Largest() as largest:
        loss, _ = chunked.summed_losses(hidden, weight, targets, 0.1)
        if with_gradient:
            loss.backward()
    assert largest.elements == chunked.CHUNK_TOKENS * 513
    with _Largest() as largest:
        reference.summed_losses(hidden, weight, targets)
    assert largest.elements == 2000 * 513, "the measuring must see the logits of the reference"


@pytest.mark.parametrize(
    ("hidden", "weight", "targets"),
    [((4, 8), (9, 7), (4,)), ((4, 8), (9, 8), (5,)), ((1, 4, 8), (9, 8), (4,))],
)
def test_shapes_that_do_not_fit_are_named(
    hidden: tuple[int, ...], weight: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError) as error:
        dispatch.summed_losses(
            torch.zeros(hidden), torch.zeros(weight), torch.zeros(targets, dtype=torch.int64)
        )
    assert str(hidden) in str(error.value)
