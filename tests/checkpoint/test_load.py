"""Live tensors take what was saved, in place and checked; anything that does not fit is refused before it is touched."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from codex.checkpoint import load, load_tensors, save, save_tensors
from codex.errors import DamageError, MissingDataError, UsageError

SaveStep = Callable[..., Path]
Tensors = dict[str, torch.Tensor]


def stored() -> Tensors:
    generator = torch.Generator().manual_seed(3)
    weight = torch.randn(6, 4, generator=generator)
    return {
        "embed": weight,
        "head": weight,
        "norm": torch.randn(4, generator=generator).bfloat16(),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }


def blank(tensors: Tensors) -> Tensors:
    """Live tensors of the same kind, with the same ties."""
    memo: dict[int, torch.Tensor] = {}
    return {name: memo.setdefault(id(tensor), torch.zeros_like(tensor)) for name, tensor in tensors.items()}


def assert_equal(left: Tensors, right: Tensors) -> None:
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert torch.equal(tensor, right[name].to(tensor.dtype).reshape(tensor.shape)), name


@pytest.fixture(params=["one file", "shards"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    size = {"one file": 1 << 30, "shards": 100}[request.param]
    path = save(
        tmp_path,
        1,
        model=stored(),
        optimizer={},
        state_tensors={},
        state={},
        files={},
        digest="sha256",
        shard_bytes=size,
    )
    names = {file.name for file in path.glob("model*")}
    assert (names == {"model.safetensors"}) == (request.param == "one file")
    return path


def test_new_tensors_are_what_was_saved_ties_and_all(folder: Path) -> None:
    loaded = load_tensors(folder)
    assert_equal(loaded, stored())
    assert loaded["head"] is loaded["embed"]
    assert_equal(load_tensors(folder, map_location=torch.device("cpu")), stored())


def test_live_tensors_are_filled_where_they_are(folder: Path) -> None:
    live = blank(stored())
    places = {name: tensor.data_ptr() for name, tensor in live.items()}
    loaded = load_tensors(folder, into=live)
    assert all(loaded[name] is tensor for name, tensor in live.items())
    assert_equal(live, stored())
    assert {name: tensor.data_ptr() for name, tensor in live.items()} == places


def test_a_module_takes_its_parameters_and_a_stale_graph_is_an_error(tmp_path: Path) -> None:
    model = torch.nn.Linear(4, 3)
    save_tensors(tmp_path / "saved", dict(model.state_dict()))
    other = torch.nn.Linear(4, 3)
    result = (other(torch.ones(2, 4, requires_grad=True)) ** 2).sum()
    load_tensors(tmp_path / "saved", into=dict(other.named_parameters()))
    assert all(
        torch.equal(left, right) for left, right in zip(model.parameters(), other.parameters(), strict=True)
    )
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.backward()


def test_a_tie_may_be_live_under_either_name_or_as_two_copies(folder: Path) -> None:
    for names in (["embed"], ["head"], ["embed", "head"]):
        live = {name: torch.zeros_like(tensor) for name, tensor in stored().items()}
        for name in {"embed", "head"} - set(names):
            del live[name]
        load_tensors(folder, into=live)
        assert_equal(live, {name: stored()[name] for name in live})


def test_gaps_and_other_dtypes_go_through_the_staging_buffer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codex.checkpoint.fill.STAGING_BYTES", 128)
    live = blank(stored())
    live["embed"] = live["head"] = torch.zeros(4, 6).t()
    load_tensors(folder, into=live)
    assert_equal(live, stored())
    other = {name: torch.zeros(tensor.shape, dtype=torch.float64) for name, tensor in stored().items()}
    other["count"] = torch.zeros(1, 1)
    load_tensors(folder, into=other, cast=True)
    assert_equal(other, stored())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"norm": torch.zeros(4)},
            "tensor `norm` is torch.bfloat16 of shape [4], the one to fill is torch.float32",
        ),
        ({"norm": torch.zeros(2, 2).bfloat16()}, "the one to fill is torch.bfloat16 of shape [2, 2]"),
        (
            {"count": torch.zeros(1, dtype=torch.int64)},
            "tensor `count` is torch.int64 of shape [], the one to fill",
        ),
        ({"more": torch.zeros(1)}, "tensor `more` is not stored, and `into` asks for it"),
        ({"norm": None}, "tensor `norm` is stored, and `into` has no place for it"),
        ({"norm": None, "count": None}, "(and 1 more) is stored, and `into` has no place for it"),
        ({"embed": None, "head": None}, "tensor `embed` is stored, and `into` has no place for it"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_nothing_is_touched(
    folder: Path, change: dict[str, torch.Tensor | None], message: str
) -> None:
    live = {name: tensor for name, tensor in (blank(stored()) | change).items() if tensor is not None}
    with pytest.raises(DamageError, match=re.escape(message)) as error:
        load_tensors(folder, into=live)
    assert f"{folder}/model.safetensors" in str(error.value)
    assert all(not tensor.any() for tensor in live.values())


def test_a_cast_needs_as_many_elements(folder: Path) -> None:
    with pytest.raises(
        DamageError, match=re.escape("the one to fill is torch.bfloat16 of shape [5]")
    ) as error:
        load_tensors(folder, into=blank(stored()) | {"norm": torch.zeros(5).bfloat16()}, cast=True)
    assert error.value.hint is None


def test_two_stored_tensors_cannot_be_one_in_memory(folder: Path) -> None:
    shared = torch.zeros(6, 4)
    save_tensors(folder.parent / "untied", {"a": torch.ones(6, 4), "b": torch.zeros(6, 4)})
    with pytest.raises(DamageError, match="`b` and `a` are two tensors, and one in `into`"):
        load_tensors(folder.parent / "untied", into={"a": shared, "b": shared})
    memory = torch.zeros(40)
    with pytest.raises(UsageError, match="tensors `a` and `b` overlap"):
        load_tensors(
            folder.parent / "untied", into={"a": memory[:24].view(6, 4), "b": memory[8:32].view(6, 4)}
        )
    with pytest.raises(UsageError, match="exclude each other"):
        load_tensors(folder, into=blank(stored()), map_location="cpu")
    with pytest.raises(MissingDataError, match="nowhere"):
        load_tensors(folder / "nowhere")


def test_without_verify_only_a_changed_byte_of_a_tensor_goes_unnoticed(folder: Path) -> None:
    files = sorted(folder.glob("model*.safetensors"))
    data = files[0].read_bytes()
    files[0].write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(DamageError, match="is damaged"):
        load_tensors(folder)
    different = load_tensors(folder, verify=False)
    assert different.keys() == stored().keys()
    assert any(not torch.equal(tensor, stored()[name]) for name, tensor in different.items())
    files[0].write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
    with pytest.raises(DamageError, match="the header is damaged"):
        load_tensors(folder, verify=False)
    files[0].write_bytes(data[:-1])
    with pytest.raises(DamageError, match=f"has {len(data) - 1} bytes, expected {len(data)}"):
        load_tensors(folder, verify=False)


def test_a_resume_fills_the_live_parts_and_hands_out_the_rest(save_step: SaveStep) -> None:
    path = save_step(5)
    wanted = load(path)
    live = {"model": blank(wanted.model), "optimizer": blank(wanted.optimizer)}
    loaded = load(path, parts=("state_tensors",), into=live)
    assert loaded.model["embed.weight"] is live["model"]["embed.weight"]
    for part in ("model", "optimizer", "state_tensors"):
        assert_equal(getattr(loaded, part), getattr(wanted, part))
    with pytest.raises(UsageError, match="`models` is not a part of a checkpoint"):
        load(path, into={"models": {}})


def test_a_part_that_does_not_fit_leaves_the_others_untouched(save_step: SaveStep) -> None:
    path = save_step(5)
    wanted = load(path)
    live = {"model": blank(wanted.model), "optimizer": {}}
    with pytest.raises(
        DamageError, match=r"optimizer.safetensors`: tensor `momentum.a` \(and 1 more\) is stored"
    ):
        load(path, into=live)
    assert all(not tensor.any() for tensor in live["model"].values())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_tensors_go_to_the_device_and_live_ones_are_filled_there(folder: Path) -> None:
    loaded = load_tensors(folder, map_location="cuda")
    assert all(tensor.is_cuda for tensor in loaded.values())
    assert_equal({name: tensor.cpu() for name, tensor in loaded.items()}, stored())
    live = {name: torch.zeros_like(tensor, device="cuda") for name, tensor in stored().items()}
    load_tensors(folder, into=live)
    assert_equal({name: tensor.cpu() for name, tensor in live.items()}, stored())
