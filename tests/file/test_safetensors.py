"""The safetensors layout is the official one, byte for byte, and read more strictly."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from codex.errors import DamageError, UsageError
from codex.file import PartialFolder, safetensors_header, safetensors_layout

DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "F16": np.float16,
    "U32": np.uint32, "I32": np.int32, "F32": np.float32, "U64": np.uint64, "I64": np.int64, "F64": np.float64,
    "C64": np.complex64,
}  # fmt: skip
#: Every type the official Python package knows, by its name there, in the order of the layout, last first.
ORDER = {
    "BOOL": "bool", "F4": "float4_e2m1fn_x2", "U8": "uint8", "I8": "int8", "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz", "I16": "int16", "U16": "uint16", "F16": "float16", "BF16": "bfloat16",
    "I32": "int32", "U32": "uint32", "F32": "float32", "C64": "complex64", "F64": "float64", "I64": "int64",
    "U64": "uint64",
}  # fmt: skip

BITS = {dtype: int(digits) for dtype in ORDER for digits in re.findall(r"^[A-Z]+(\d+)", dtype)} | {"BOOL": 8}

Described = list[tuple[str, str, list[int]]]

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(
    lambda name: name != "__metadata__"
)
shapes = st.lists(st.integers(0, 4), max_size=4)
described = st.lists(
    st.tuples(names, st.sampled_from(list(DTYPES)), shapes), unique_by=lambda tensor: tensor[0], max_size=8
)
notes = st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"])), max_size=1)


def filled(tensors: Described) -> dict[str, np.ndarray[Any, Any]]:
    numbers = np.random.default_rng(0)
    return {
        name: np.asarray(numbers.random(shape) * 100).astype(DTYPES[dtype])  # type: ignore[arg-type]
        for name, dtype, shape in tensors
    }


@given(described, notes)
def test_what_we_write_is_what_the_official_library_writes(
    tensors: Described, metadata: dict[str, str]
) -> None:
    arrays = filled(tensors)
    header, layout = safetensors_header(tensors, metadata)
    ours = header + b"".join(arrays[tensor.name].tobytes() for tensor in layout)
    assert ours == save(arrays, metadata or None)


@given(described, notes)
@settings(max_examples=50)
def test_what_the_official_library_writes_we_read(
    tmp_path_factory: pytest.TempPathFactory, tensors: Described, metadata: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "official.safetensors"
    arrays = filled(tensors)
    content = save(arrays, metadata or None)
    path.write_bytes(content)
    layout, read_notes, data_start = safetensors_layout(path)
    assert read_notes == metadata
    assert {tensor.name for tensor in layout} == set(arrays)
    for tensor in layout:
        data = content[data_start + tensor.start : data_start + tensor.end]
        array = np.frombuffer(data, DTYPES[tensor.dtype]).reshape(tensor.shape)
        np.testing.assert_array_equal(array, arrays[tensor.name])


def test_the_official_library_reads_what_we_made_durable(tmp_path: Path) -> None:
    arrays = filled([("weights", "F32", [3, 4]), ("ids", "U64", [5]), ("flag", "BOOL", [])])
    tensors = [("weights", "F32", [3, 4]), ("ids", "U64", [5]), ("flag", "BOOL", [])]
    header, layout = safetensors_header(tensors, {"format": "np"})
    with PartialFolder(tmp_path / "folder") as folder:
        file = folder.open("a.safetensors")
        file.write(header)
        for tensor in layout:
            file.write(memoryview(arrays[tensor.name]))
        file.finish()
    for name, array in load_file(tmp_path / "folder" / "a.safetensors").items():
        np.testing.assert_array_equal(array, arrays[name])


def test_every_dtype_lies_where_the_official_library_puts_it() -> None:
    zeros = np.zeros(64, np.uint8)
    specs = {}
    for place, (dtype, name) in enumerate(ORDER.items()):
        shape, size = ([4], 4) if dtype == "F4" else ([8], 8 * BITS[dtype] // 8)  # F4 comes in pairs
        specs[f"t{place:02}"] = safetensors.TensorSpec(
            dtype=name, shape=shape, data_ptr=zeros.ctypes.data, data_len=size
        )
    assert [spec.dtype for spec in specs.values()] == list(ORDER)
    header, layout = safetensors_header([(name, spec.dtype, [8]) for name, spec in specs.items()])
    assert [tensor.dtype for tensor in layout] == list(reversed(ORDER))
    assert safetensors.serialize(specs, None)[: len(header)] == header


def file(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def one(**changes: object) -> dict[str, object]:
    return {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4], **changes}}


U8 = '{"dtype":"U8","shape":[4],"data_offsets":[0,4]}'
MALFORMED = {
    "empty": b"",
    "seven bytes": bytes(7),
    "no header": bytes(8),
    "a length beyond the file": file(one(), bytes(4), length=10_000),
    "a length beyond the limit": file(b"{}", length=100_000_001),
    "a length of 2**64 - 1": file(b"{}", length=2**64 - 1),
    "not UTF-8": file(b'{"\xff":1}'),
    "not JSON": file(b'{"a":}'),
    "an array": file([]),
    "a space before the brace": file(b" {}"),
    "a newline after the brace": file(b"{}\n"),
    "a byte too many": file(one(), bytes(5)),
    "a byte too few": file(one(), bytes(3)),
    "a hole": file({**one(), "b": one(data_offsets=[5, 9])["a"]}, bytes(9)),
    "an overlap": file({**one(), "b": one(data_offsets=[2, 6])["a"]}, bytes(6)),
    "offsets the wrong way round": file(one(data_offsets=[4, 0]), bytes(4)),
    "a shape that does not fit": file(one(shape=[5]), bytes(4)),
    "a shape that overflows": file(one(shape=[2**63, 4]), bytes(4)),
    "a negative size": file(one(shape=[-4]), bytes(4)),
    "an unknown dtype": file(one(dtype="Q7"), bytes(4)),
    "metadata that is no text": file({"__metadata__": {"a": 1}}),
    "a duplicate name": file(f'{{"a":{U8},"a":{U8}}}'.encode(), bytes(4)),
    "a duplicate key": file(b'{"a":{"dtype":"I8","dtype":"U8","shape":[4],"data_offsets":[0,4]}}', bytes(4)),
    "an unknown key": file(one(extra=1), bytes(4)),
}
#: What the official library (0.8.0) lets pass.
LENIENT = {"a space before the brace", "a newline after the brace", "a duplicate name", "an unknown key"}


@pytest.mark.parametrize("what", MALFORMED)
def test_every_malformed_file_is_damage_with_its_name(tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(MALFORMED[what])
    with pytest.raises(DamageError, match=r"bad.safetensors`: not a valid safetensors file: "):
        safetensors_layout(path)
    try:
        safetensors.deserialize(MALFORMED[what])
        accepted = True
    except safetensors.SafetensorError:
        accepted = False
    assert accepted == (what in LENIENT), "the official library has changed its mind"


def test_a_hundred_thousand_tensors_are_read(tmp_path: Path) -> None:
    header, layout = safetensors_header([(f"layer.{n}", "U8", [1]) for n in range(100_000)])
    (tmp_path / "many").write_bytes(header + bytes(100_000))
    assert safetensors_layout(tmp_path / "many")[0] == layout


def test_what_cannot_be_stored_is_refused_before_it_is_written() -> None:
    for tensors in ([("a", "U8", [1]), ("a", "U8", [1])], [("__metadata__", "U8", [1])], [("a", "F4", [3])]):
        with pytest.raises(UsageError):
            safetensors_header(tensors)
