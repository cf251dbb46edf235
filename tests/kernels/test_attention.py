"""Attention: what `dispatch.attend` chooses against the reference, forward and backward."""

from __future__ import annotations

import re

import pytest
import torch

from codex.errors import ShapeError
from codex.kernels import dispatch
from codex.kernels.attention.documents import Documents
from codex.kernels.attention.reference import attend

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5, torch.bfloat16: 3e-2}


def _draw(*shape: int, dtype: torch.dtype, seed: int) -> torch.Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return values.to(dtype).requires_grad_()


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("packed", [False, True], ids=["one document", "packed documents"])
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("length", [1, 7, 123, 128, 129])
def test_forward_and_backward_equal_the_reference(
    length: int, groups: int, packed: bool, dtype: torch.dtype
) -> None:
    q = _draw(2, length, 2 * groups, 16, dtype=dtype, seed=1)
    k, v = (_draw(2, length, 2, 16, dtype=dtype, seed=seed) for seed in (2, 3))
    outer = _draw(2, length, 2 * groups, 16, dtype=dtype, seed=4).detach()
    starts = torch.rand(2, length, generator=torch.Generator().manual_seed(5)) < 0.1
    documents = Documents(starts) if packed else None
    answers = []
    for function in (dispatch.attend, attend):
        out = function(q, k, v, documents)
        answers.append([out.detach(), *torch.autograd.grad(out, (q, k, v), outer)])
    assert answers[0][0].dtype == dtype
    for fast, slow in zip(*answers, strict=True):
        torch.testing.assert_close(fast, slow, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_documents_of_other_rows_are_refused() -> None:
    x = torch.zeros(2, 5, 1, 4)
    for starts in ((2, 4), (1, 5)):
        with pytest.raises(ShapeError, match=re.escape(str(starts))):
            dispatch.attend(x, x, x, Documents(torch.zeros(starts, dtype=torch.bool)))
    with pytest.raises(ShapeError, match="expected \\(B, T\\)"):
        Documents(torch.zeros(5, dtype=torch.bool))


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 9), (4, 9), (8, 9), (9, 9)])
def test_queries_stand_at_the_end_of_the_keys(queries: int, keys: int) -> None:
    q = _draw(1, keys, 2, 8, dtype=torch.float32, seed=1)
    k, v = (_draw(1, keys, 2, 8, dtype=torch.float32, seed=seed) for seed in (2, 3))
    whole = attend(q, k, v)
    for function in (dispatch.attend, attend):
        torch.testing.assert_close(function(q[:, -queries:], k, v), whole[:, -queries:])


def test_the_first_query_sees_only_itself() -> None:
    q, k, v = (_draw(1, 5, 1, 4, dtype=torch.float64, seed=seed) for seed in (1, 2, 3))
    torch.testing.assert_close(attend(q, k, v)[0, 0], v[0, 0])


@pytest.mark.parametrize(
    ("q", "k", "v"),
    [
        ((1, 4, 3, 8), (1, 4, 2, 8), (1, 4, 2, 8)),
        ((1, 5, 2, 8), (1, 4, 2, 8), (1, 4, 2, 8)),
        ((1, 4, 2, 8), (1, 4, 2, 4), (1, 4, 2, 4)),
        ((1, 4, 2, 8), (1, 4, 2, 8), (1, 4, 1, 8)),
    ],
)
def test_shapes_that_do_not_fit_are_named(q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError) as error:
        dispatch.attend(torch.zeros(q), torch.zeros(k), torch.zeros(v))
    assert str(q) in str(error.value)
