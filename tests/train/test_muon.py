"""Muon against what its paper promises, and against the one in torch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codex.train.muon import Muon, orthogonalize


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 7), (7, 1), (16, 16), (33, 128), (128, 33), (123, 129)], ids=str
)
def test_singular_values_end_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1)) * 30
    values = torch.linalg.svdvals(orthogonalize(matrix)[0])
    assert values.min() > 0.6 and values.max() < 1.25


def test_the_directions_are_those_of_the_matrix() -> None:
    matrix = torch.randn(24, 40, generator=torch.Generator().manual_seed(2))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    between = u.T @ orthogonalize(matrix[None])[0] @ vh.T
    off = between - between.diagonal().diag()
    assert off.abs().max() < 1e-3, "left and right singular vectors stay"


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (8, 8)])
def test_many_at_once_is_one_by_one(shape: tuple[int, int]) -> None:
    matrices = torch.randn(4, *shape, generator=torch.Generator().manual_seed(3))
    together = orthogonalize(matrices)
    for matrix, expected in zip(matrices, together, strict=True):
        torch.testing.assert_close(orthogonalize(matrix[None])[0], expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(orthogonalize(matrices.mT).mT, together, rtol=1e-3, atol=1e-4)


def test_a_zero_gradient_moves_nothing() -> None:
    assert torch.equal(orthogonalize(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


@pytest.mark.parametrize("turned", [False, True], ids=["(out, in)", "(in, out)"])
@pytest.mark.parametrize("shape", [(24, 24), (16, 48), (48, 16)], ids=str)
def test_it_walks_where_torch_walks(shape: tuple[int, int], turned: bool) -> None:
    """torch iterates in bfloat16, hence the tolerance: a wrong momentum or scale is off by far more."""

    def ours_of(matrix: torch.Tensor) -> torch.Tensor:
        return matrix.mT.clone() if turned else matrix.clone()

    generator = torch.Generator().manual_seed(4)
    start = torch.randn(shape, generator=generator)
    ours, theirs = nn.Parameter(ours_of(start)), nn.Parameter(start.clone())
    rule = Muon({"w": ours}, learning_rate=0.05, momentum=0.9, weight_decay=0.1, has_input_first=turned)
    oracle = torch.optim.Muon([theirs], lr=0.05, momentum=0.9, weight_decay=0.1)
    for step in range(6):
        theirs.grad = torch.randn(shape, generator=generator)
        ours.grad = ours_of(theirs.grad)
        factor = 1 - step / 10
        oracle.param_groups[0]["lr"] = 0.05 * factor
        rule.step(step, factor)
        oracle.step()
    moved = (theirs - start).norm()
    assert (ours_of(ours) - theirs).norm() < 0.03 * moved


def test_a_parameter_without_gradient_stays() -> None:
    still, moving = nn.Parameter(torch.ones(3, 3)), nn.Parameter(torch.ones(3, 3))
    moving.grad = torch.eye(3)
    Muon({"still": still, "moving": moving}, weight_decay=0.5).step(0, 1.0)
    assert torch.equal(still, torch.ones(3, 3)) and not torch.equal(moving, torch.ones(3, 3))
