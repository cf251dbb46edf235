"""Ties are stored once and come back tied; overlap that cannot be stored is refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from codex.checkpoint import load, save
from codex.checkpoint.sharing import untie
from codex.errors import UsageError


def round_trip(folder: Path, model: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return load(save(folder, 1, model=model, optimizer={}, state_tensors={}, state={}, files={})).model


def test_tied_weights_are_stored_once_and_come_back_tied(tmp_path: Path) -> None:
    embedding = torch.randn(64, 8)
    model = {"embed": embedding, "bias": torch.ones(3), "head": embedding, "again": embedding.view(64, 8)}
    read = round_trip(tmp_path, model)
    assert (tmp_path / "step-00000001/model.safetensors").stat().st_size < 1.5 * 64 * 8 * 4
    assert read["head"].data_ptr() == read["embed"].data_ptr() == read["again"].data_ptr()
    assert torch.equal(read["head"], embedding)


def test_rows_of_one_buffer_are_not_an_overlap(tmp_path: Path) -> None:
    buffer = torch.randn(10, 4)
    read = round_trip(tmp_path, {"top": buffer[:5], "bottom": buffer[5:]})
    assert torch.equal(torch.cat([read["top"], read["bottom"]]), buffer)


@pytest.mark.parametrize(
    "views",
    [
        lambda base: (base, base[1:]),
        lambda base: (base[:3], base[2:]),
        lambda base: (base, base.t()),
        lambda base: (base, base.view(-1)),
        lambda base: (base, base.view(torch.int32)),
        lambda base: (base[:, :2], base[:, 1:]),
    ],
    ids=["tail", "middle", "transposed", "flat", "other dtype", "columns"],
)
def test_an_overlap_is_refused_by_both_names(tmp_path: Path, views: object) -> None:
    left, right = views(torch.randn(4, 4))  # type: ignore[operator]
    with pytest.raises(UsageError, match=re.escape("overlap in memory")) as error:
        round_trip(tmp_path, {"left": left, "other": torch.zeros(2), "right": right})
    assert "`left`" in str(error.value) and "`right`" in str(error.value)
    assert not (tmp_path / "step-00000001").exists()


@pytest.mark.parametrize(
    "view",
    [lambda base: base.t(), lambda base: base[:, ::2], lambda base: base[0].expand(5, 4)],
    ids=["t", "stride", "expand"],
)
def test_a_tensor_with_gaps_is_copied_in_row_order(tmp_path: Path, view: object) -> None:
    tensor = view(torch.randn(4, 4))  # type: ignore[operator]
    assert torch.equal(round_trip(tmp_path, {"x": tensor})["x"], tensor)


def test_a_transposed_tie_stays_a_tie() -> None:
    weight = torch.randn(4, 2)
    stored, tied = untie({"a": weight.t(), "b": weight.t()})
    assert list(stored) == ["a"] and tied == {"b": "a"}


def test_parameters_that_need_gradients_are_saved(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.randn(3))
    assert torch.equal(round_trip(tmp_path, {"x": parameter})["x"], parameter.detach())


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(2, device="meta"), "tensor `x` is meta"),
        (torch.zeros(2, 2).to_sparse(), "tensor `x` is sparse_coo"),
        (torch.zeros(2, dtype=torch.complex128), "tensor `x` is torch.complex128, expected one of"),
    ],
    ids=["meta", "sparse", "complex"],
)
def test_what_cannot_be_stored_is_refused_by_name(tmp_path: Path, tensor: torch.Tensor, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        round_trip(tmp_path, {"x": tensor})
