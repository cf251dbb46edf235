"""What went in comes out, and any other tool can open it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

from codex.checkpoint import Loaded, load, save, verify
from codex.checkpoint.layout import dtypes

Holds = Callable[[Loaded, int], None]


def save_model(folder: Path, model: dict[str, torch.Tensor]) -> Path:
    return save(folder, 1, model=model, optimizer={}, state_tensors={}, state={}, files={})


def sample(dtype: torch.dtype, shape: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    """Random bits of `dtype`; a bool is 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, generator=generator).bool()
    size = torch.empty((), dtype=dtype).element_size()
    count = torch.Size(shape).numel()
    bits = torch.randint(0, 256, (count * size,), dtype=torch.uint8, generator=generator)
    return bits.view(dtype).reshape(shape)


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    """NaN equals NaN if its bits do."""
    bits = [tensor.reshape(-1).view(torch.uint8) for tensor in (left, right)]
    return left.dtype == right.dtype and left.shape == right.shape and torch.equal(*bits)


def test_a_checkpoint_comes_back_as_it_went_in(
    checkpoints: Path, save_step: Callable[[int], Path], holds: Holds
) -> None:
    path = save_step(1000)
    assert path == checkpoints / "step-00001000"
    assert sorted(file.name for file in path.iterdir()) == [
        "config.json", "manifest.json", "model.safetensors", "optimizer.safetensors",
        "state.json", "state.safetensors", "tokenizer.json",
    ]  # fmt: skip
    holds(load(path), 1000)
    assert verify(path).tensors == 5


@pytest.mark.parametrize("dtype", sorted(dtypes()))
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (7,), (129, 3)], ids=str)
def test_every_dtype_and_shape_survives(tmp_path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    tensor = sample(dtypes()[dtype], shape)
    loaded = load(save_model(tmp_path, {"x": tensor}))
    assert same_bits(loaded.model["x"], tensor)


def test_the_official_package_reads_and_writes_the_same_bytes(tmp_path: Path) -> None:
    choose = random.Random(5)
    names = [
        "",
        " ",
        "a.b",
        "ünïcödé",
        "重み",
        '"quoted"\\',
        "\U0001f600",
        *(f"layer.{index}" for index in range(40)),
    ]
    shapes = [(), (0,), (3,), (2, 3), (1, 1, 5), (128,)]
    official = [dtype for name, dtype in dtypes().items() if not name.startswith("F8")]
    model = {
        name: sample(choose.choice(official), choose.choice(shapes), seed) for seed, name in enumerate(names)
    }
    path = save_model(tmp_path, model) / "model.safetensors"
    read = safetensors.torch.load_file(path)
    assert read.keys() == model.keys()
    assert all(same_bits(read[name], tensor) for name, tensor in model.items())
    assert path.read_bytes() == safetensors.torch.save(model, metadata={"format": "pt"})


def test_an_empty_model_is_a_file_the_official_package_opens(tmp_path: Path) -> None:
    path = save_model(tmp_path, {})
    assert safetensors.torch.load_file(path / "model.safetensors") == {}
    assert load(path).model == {}


def test_ten_thousand_tensors_survive(tmp_path: Path) -> None:
    model = {f"t{index}": torch.tensor([index]) for index in range(10_000)}
    loaded = load(save_model(tmp_path, model))
    assert all(loaded.model[name].item() == tensor.item() for name, tensor in model.items())


def test_tensors_larger_than_one_write_and_one_read_survive(tmp_path: Path) -> None:
    model = {
        name: sample(torch.uint8, (size,), size) for name, size in {"a": (16 << 20) + 1, "b": 5 << 20}.items()
    }
    loaded = load(save_model(tmp_path, model))
    assert all(torch.equal(loaded.model[name], tensor) for name, tensor in model.items())


def test_two_saves_of_one_state_are_the_same_bytes(tmp_path: Path, save_step: Callable[[int], Path]) -> None:
    first = {file.name: file.read_bytes() for file in save_step(5).iterdir()}
    second = {file.name: file.read_bytes() for file in save_step(5).iterdir()}
    assert first == second


def test_only_the_asked_parts_are_read(save_step: Callable[[int], Path]) -> None:
    path = save_step(3)
    damaged = path / "optimizer.safetensors"
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    loaded = load(path, parts=["model"])
    assert loaded.model and not loaded.optimizer and not loaded.state_tensors
    assert loaded.files["config.json"] == b'{"model_type": "qwen3"}'
