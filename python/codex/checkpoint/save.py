"""One save: tensors as they lie in memory, the state as JSON, extra files as they are, one folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from codex._core import checkpoint_save
from codex.checkpoint.layout import (
    MODEL_FILE,
    OPTIMIZER_FILE,
    SCHEMA_VERSION,
    STATE_FILE,
    STATE_TENSORS_FILE,
    dtypes,
)
from codex.checkpoint.sharing import untie
from codex.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import torch

    _Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
    _Row: TypeAlias = tuple[str, str, tuple[int, ...], _Bytes]

__all__ = ["save"]


def save(
    checkpoints: Path | str,
    step: int,
    *,
    model: Mapping[str, torch.Tensor],
    optimizer: Mapping[str, torch.Tensor],
    state_tensors: Mapping[str, torch.Tensor],
    state: Mapping[str, Any],
    files: Mapping[str, bytes],
    parents: Sequence[str] = (),
) -> Path:
    """Save a checkpoint; when this returns it is durable.

    Killed at any instant, it leaves the folder as it was before or as it is after; what a dead process left
    half written is swept by the next save. A checkpoint of the same step is replaced. Tensors on the CPU
    are read where they lie, without the interpreter's lock, and must not change meanwhile; one that is not
    contiguous, or not on the CPU, is copied first.

    Args:
        checkpoints: the folder of checkpoints; made if it is missing.
        step: optimizer steps done; it names the folder, `step-00001000`.
        model, optimizer, state_tensors: by name. Two names for one tensor are stored once and tied again by
            `load`.
        state: JSON values only: string keys, lists, finite numbers. The number `held_out_bits_per_byte`, if
            it is there, is what `rotate` keeps the best by.
        files: name to bytes, stored as they are: `config.json`, `tokenizer.json`.
        parents: digests of what it was made from.
    Returns:
        The folder of the checkpoint.
    Raises:
        UsageError: for state that JSON would change, tensors that overlap, or names that are taken.
        LockError: while another process saves or rotates here.
        DiskFullError: before anything is written if the disk has no room, or when it fills; what was there
            stays.
        MachineError: if the disk refuses.

    >>> import tempfile, torch
    >>> model = {"scale": torch.ones(3)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(folder, 7, model=model, optimizer={}, state_tensors={}, state={"epoch": 0}, files={})
    ...     path.name, sorted(file.name for file in path.iterdir())[:2]
    ('step-00000007', ['manifest.json', 'model.safetensors'])
    """
    if STATE_FILE in files:
        raise UsageError(f"`{STATE_FILE}` cannot be among the files, the state is written there")
    tensor_files = {MODEL_FILE: model, OPTIMIZER_FILE: optimizer, STATE_TENSORS_FILE: state_tensors}
    return checkpoint_save(
        checkpoints,
        step,
        [(path, *_rows(tensors)) for path, tensors in tensor_files.items()],
        [(STATE_FILE, _state_bytes(step, state)), *files.items()],
        parents,
    )


def _rows(tensors: Mapping[str, torch.Tensor]) -> tuple[list[_Row], dict[str, str]]:
    """Name, dtype, shape and bytes of each tensor to store, and the aliases."""
    names = {dtype: name for name, dtype in dtypes().items()}
    stored, tied = untie(tensors)
    rows = []
    for name, tensor in stored.items():
        if tensor.dtype not in names:
            raise UsageError(
                f"tensor `{name}` is {tensor.dtype}, expected one of {', '.join(map(str, names))}"
            )
        rows.append((name, names[tensor.dtype], tuple(tensor.shape), _bytes(tensor)))
    return rows, tied


def _bytes(tensor: torch.Tensor) -> _Bytes:
    """The elements as bytes, shared with `tensor` where it is contiguous and on the CPU."""
    import torch

    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _state_bytes(step: int, state: Mapping[str, Any]) -> bytes:
    _check_json(dict(state), "state")
    if "schema_version" in state or state.get("step", step) != step:
        raise UsageError(f"`state` has `schema_version` or another `step` than {step}, expected neither")
    text = json.dumps({**state, "schema_version": SCHEMA_VERSION, "step": step}, indent=1, sort_keys=True)
    return text.encode() + b"\n"


def _check_json(value: object, where: str) -> None:
    """Refuse what would come back from JSON as something else: a tuple, a number as key, NaN."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise UsageError(f"a key of `{where}` is {type(key).__name__} {key!r}, expected a string")
            _check_json(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_json(item, f"{where}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"`{where}` is {value}, expected a finite number", hint="store it as a string")
    elif type(value) not in (str, int, float, bool, type(None)):
        raise UsageError(
            f"`{where}` is {type(value).__name__}, expected a JSON value", hint="use lists, not tuples"
        )
