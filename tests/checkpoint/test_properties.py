"""Whatever the tensors, the official package and ours read each other's files to the bit, and refuse together."""

from __future__ import annotations

import string
import tempfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codex.checkpoint import load_tensors, save, save_tensors, verify
from codex.checkpoint.layout import dtypes
from codex.errors import DamageError
from codex.file import safetensors_layout

#: Any Unicode text but half of a surrogate pair, which no file can hold.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(
    lambda name: name != "__metadata__"
)
SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, torch.Tensor]:
    """Up to six tensors of random bits: any dtype, any small shape, empty and 0-d among them."""
    found = {}
    for name in draw(st.sets(NAMES, max_size=6)):
        dtype, shape = dtypes()[draw(st.sampled_from(sorted(dtypes())))], draw(SHAPES)
        count = int(np.prod(shape, dtype=int)) * dtype.itemsize
        data = draw(st.binary(min_size=count, max_size=count))
        if dtype == torch.bool:
            data = bytes(byte & 1 for byte in data)
        raw = (
            torch.frombuffer(bytearray(data), dtype=torch.uint8)
            if count
            else torch.empty(0, dtype=torch.uint8)
        )
        found[name] = raw.view(dtype).reshape(shape)
    return found


def bits(tensors: dict[str, torch.Tensor]) -> dict[str, tuple[torch.dtype, tuple[int, ...], bytes]]:
    return {
        name: (tensor.dtype, tuple(tensor.shape), tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        for name, tensor in tensors.items()
    }


@settings(max_examples=60, deadline=None)
@given(
    tensors(),
    st.dictionaries(NAMES.filter(lambda name: name != "format"), st.text(string.printable), max_size=3),
)
def test_the_official_package_reads_what_we_write(
    state: dict[str, torch.Tensor], notes: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as home:
        save_tensors(f"{home}/saved", state, metadata=notes)
        file = f"{home}/saved/model.safetensors"
        assert bits(safetensors.torch.load_file(file)) == bits(state)
        with safetensors.safe_open(file, "pt") as opened:
            assert opened.metadata() == notes | {"format": "pt"}
        assert bits(load_tensors(f"{home}/saved")) == bits(state)


@settings(max_examples=60, deadline=None)
@given(tensors())
def test_we_read_what_the_official_package_writes(state: dict[str, torch.Tensor]) -> None:
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "model.safetensors"
        safetensors.torch.save_file(state, file, metadata={"a": "b"})
        layout, metadata, data_start = safetensors_layout(file)
        data = file.read_bytes()[data_start:]
        found = {
            row.name: (dtypes()[row.dtype], tuple(row.shape), data[row.start : row.end]) for row in layout
        }
        assert found == bits(state)
        assert metadata == {"a": "b"}


@settings(max_examples=150, deadline=None)
@given(tensors(), st.data())
def test_what_the_official_package_refuses_we_refuse(
    state: dict[str, torch.Tensor], data: st.DataObject
) -> None:
    """Any change of the header, any cut and any added bytes: what we still take, the official package takes too."""
    raw = bytearray(safetensors.torch.save(state))
    header_bytes = 8 + int.from_bytes(raw[:8], "little")
    kind = data.draw(st.sampled_from(["byte", "cut", "added"]))
    if kind == "byte":
        raw[data.draw(st.integers(0, header_bytes - 1))] = data.draw(st.integers(0, 255))
    elif kind == "cut":
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        raw += data.draw(st.binary(min_size=1, max_size=9))
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "x.safetensors"
        file.write_bytes(raw)
        try:
            layout, _, _ = safetensors_layout(file)
        except DamageError as error:
            assert "x.safetensors`: not a valid safetensors file: " in str(error)
            return
        with safetensors.safe_open(file, "pt") as opened:
            assert set(opened.keys()) == {row.name for row in layout}


def test_ten_thousand_tensors_go_both_ways(tmp_path: Path) -> None:
    state = {f"block.{index}.ω": torch.full((index % 7,), index) for index in range(10_000)}
    path = save(
        tmp_path, 1, model=state, optimizer={}, state_tensors={}, state={}, files={}, shard_bytes=60_000
    )
    shards = sorted(path.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert verify(path).tensors == 10_000
    assert bits(load_tensors(path)) == bits(state)
    theirs: dict[str, torch.Tensor] = {}
    for shard in shards:
        theirs |= safetensors.torch.load_file(shard)
    assert bits(theirs) == bits(state)
    safetensors.torch.save_file(state, tmp_path / "official.safetensors")
    layout, _, _ = safetensors_layout(tmp_path / "official.safetensors")
    assert {row.name for row in layout} == state.keys()


@pytest.mark.parametrize("dtype", sorted(dtypes()))
def test_every_dtype_is_filled_in_place(tmp_path: Path, dtype: str) -> None:
    data = torch.randint(0, 2, (8 * dtypes()[dtype].itemsize,), dtype=torch.uint8)
    tensor = data.view(dtypes()[dtype]).reshape(2, 4)
    save_tensors(tmp_path / "saved", {"x": tensor})
    live = {"x": torch.empty_like(tensor)}
    load_tensors(tmp_path / "saved", into=live)
    assert bits(live) == bits({"x": tensor})
