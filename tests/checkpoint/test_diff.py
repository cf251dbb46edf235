"""`diff`: every kind of difference is named and counted, and what is equal by digest is not read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from codex.checkpoint import Change, TensorChange, diff, save  # noqa: E402
from codex.errors import DamageError, MissingDataError  # noqa: E402

Save = Callable[..., Path]


@pytest.fixture
def saved(tmp_path: Path) -> Save:
    """Saves a checkpoint in a folder of its own; only what is named differs from another's."""

    def run(where: str, **parts: Any) -> Path:
        rest: dict[str, Any] = {"model": {}, "optimizer": {}, "state_tensors": {}, "state": {}, "files": {}}
        return save(tmp_path / where, parts.pop("step", 1), **{**rest, **parts})

    return run


def model(**tensors: Any) -> Mapping[str, Any]:
    return {"model": {name: torch.as_tensor(tensor) for name, tensor in tensors.items()}}


def test_equal_content_is_no_difference(saved: Save) -> None:
    parts = {**model(a=torch.ones(3), b=torch.zeros(2, 2)), "state": {"loss": 2.5}, "files": {"x": b"1"}}
    found = diff(saved("a", **parts), saved("b", **parts))
    assert not found and found.common == 2


def values(before: Any, after: Any, dtype: Any) -> tuple[Any, Any]:
    return torch.tensor(before).to(dtype), torch.tensor(after).to(dtype)


VALUES = {
    "one of three": (*values([1.0, 2, 3], [1, 2, 3.5], torch.float32), 1, 0.5),
    "bf16": (*values([1.0, 2, 3], [1, 4, 0], torch.bfloat16), 2, 3.0),
    "f16": (*values([1.0, -2], [1, 2], torch.float16), 1, 4.0),
    "fp8": (*values([1.0, 2], [1, 1], torch.float8_e4m3fn), 1, 1.0),
    "f64": (*values([1.0], [1.5], torch.float64), 1, 0.5),
    "int64": (*values([1, 9], [-1, 9], torch.int64), 1, 2.0),
    "uint8": (*values([0, 255], [255, 0], torch.uint8), 2, 255.0),
    "uint64": (*values([0, 7], [0, 5], torch.uint64), 1, 2.0),
    "bool": (*values([True, False], [True, True], torch.bool), 1, 1.0),
    "no dimension": (*values(1.0, 4.0, torch.float32), 1, 3.0),
    "a sign of zero": (*values([0.0], [-0.0], torch.float32), 1, 0.0),
    "infinity": (*values([math.inf], [0.0], torch.float32), 1, math.inf),
    "a NaN on one side": (*values([math.nan, 1], [0.0, 3], torch.float32), 2, math.nan),
    "a NaN on both": (*values([math.nan, 1], [math.nan, 3], torch.float32), 1, 2.0),
    "more than one piece": (torch.zeros(5 << 20), torch.eye(1, 5 << 20)[0].flip(0), 1, 1.0),
}


@pytest.mark.parametrize(("before", "after", "differing", "largest"), VALUES.values(), ids=VALUES)
def test_values_that_differ_are_counted_and_measured(
    saved: Save, before: Any, after: Any, differing: int, largest: float
) -> None:
    (change,) = diff(saved("a", **model(x=before)), saved("b", **model(x=after))).tensors
    assert (change.differing, change.elements) == (differing, before.numel())
    assert change.largest == pytest.approx(largest, abs=0, nan_ok=True)


SHARED = torch.arange(4.0)
SHAPES = {
    "added": ({}, {"x": [1.0]}, None, "F32 [1]"),
    "removed": ({"x": [[1, 2]]}, {}, "I64 [1, 2]", None),
    "another shape": ({"x": [1.0, 2]}, {"x": [[1.0], [2]]}, "F32 [2]", "F32 [2, 1]"),
    "another dtype": ({"x": [1.0]}, {"x": torch.ones(1).half()}, "F32 [1]", "F16 [1]"),
    "a tie that is gone": (
        {"w": SHARED, "x": SHARED}, {"w": SHARED, "x": SHARED.clone()}, "F32 [4], tied to `w`", "F32 [4]"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "left", "right"), SHAPES.values(), ids=SHAPES)
def test_tensors_of_another_kind_are_named(
    saved: Save, before: Any, after: Any, left: str | None, right: str | None
) -> None:
    found = diff(saved("a", **model(**before)), saved("b", **model(**after)))
    assert found.tensors == [TensorChange("model.safetensors", "x", left, right)]


def test_tied_names_are_one_tensor(saved: Save) -> None:
    one, other = torch.zeros(2), torch.ones(2)
    found = diff(saved("a", model={"x": one, "y": one}), saved("b", model={"x": other, "y": other}))
    assert ([each.name for each in found.tensors], found.common) == (["x"], 1)


def test_every_file_of_tensors_is_compared(saved: Save) -> None:
    one, other = {"m": torch.zeros(2)}, {"m": torch.ones(2)}
    found = diff(
        saved("a", optimizer=one, state_tensors=one), saved("b", optimizer=other, state_tensors=other)
    )
    assert [(each.file, each.differing) for each in found.tensors] == [
        ("optimizer.safetensors", 2),
        ("state.safetensors", 2),
    ]


def test_keys_files_and_parents_are_named(saved: Save) -> None:
    left = {"config": {"train": {"steps": 5, "rate": 1.0}}, "only": [1], "is": True, "none": None}
    right = {"config": {"train": {"steps": 5, "rate": 1}}, "is": 1, "none": None}
    parent = "sha256:" + "0" * 64
    found = diff(
        saved("a", state=left, files={"x": b"1", "y": b"1", "same": b""}),
        saved("b", state=right, files={"x": b"2", "z": b"1", "same": b""}, parents=[parent], step=2),
    )
    assert found.keys == [
        Change("config.train.rate", 1.0, 1),
        Change("is", True, 1),
        Change("only", [1], None),
        Change("parents", [], [parent]),
        Change("step", 1, 2),
    ]
    assert [each.name for each in found.files] == ["x", "y", "z"]
    assert (found.files[1].after, found.files[2].before) == (None, None)


def test_how_it_was_written_is_no_difference(saved: Save) -> None:
    """Shards and another digest are the same content: what cannot be compared by digest is read."""
    parts = {**model(a=torch.ones(600), b=torch.zeros(600)), "files": {"x": b"1"}}
    plain = saved("a", **parts)
    shards = saved("b", **parts, shard_bytes=3000)
    sha256 = saved("c", **parts, digest="sha256")
    assert len(list(shards.glob("model-*-of-*.safetensors"))) == 2
    assert not diff(plain, shards) and not diff(plain, sha256) and not diff(shards, sha256)
    other = saved(
        "d", **{**parts, **model(a=torch.ones(600), b=torch.ones(600))}, shard_bytes=3000, digest="sha256"
    )
    assert [(each.name, each.differing) for each in diff(plain, other).tensors] == [("b", 600)]


def damage(checkpoint: Path) -> None:
    file = checkpoint / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def test_what_is_equal_by_digest_is_not_read(saved: Save) -> None:
    """A comparison of what was saved: `verify` says whether it is still that."""
    paths = [saved(name, **model(a=torch.ones(3), b=torch.ones(2))) for name in "ab"]
    damage(paths[1])
    assert not diff(*paths)


def test_what_must_be_read_is_checked(saved: Save) -> None:
    paths = [saved(name, **model(x=torch.full((3,), float(index)))) for index, name in enumerate("ab")]
    damage(paths[1])
    with pytest.raises(DamageError, match="tensor `x` is damaged"):
        diff(*paths)


def test_what_is_not_there_or_not_whole_is_no_difference(saved: Save, tmp_path: Path) -> None:
    path = saved("a", **model(x=[1.0]))
    with pytest.raises(MissingDataError):
        diff(path, tmp_path / "nowhere")
    (path / "manifest.json").unlink()
    with pytest.raises(DamageError):
        diff(path, path)
