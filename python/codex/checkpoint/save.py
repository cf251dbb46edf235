"""One save: tensors as they lie in memory, the state as JSON, extra files as they are, one folder."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from codex._core import checkpoint_save, checkpoint_save_folder
from codex.checkpoint.layout import (
    MODEL_FILE,
    OPTIMIZER_FILE,
    STATE_FILE,
    STATE_TENSORS_FILE,
    dtypes,
    model_file,
)
from codex.checkpoint.memory import where_they_lie
from codex.checkpoint.sharing import untie
from codex.checkpoint.state import state_bytes
from codex.errors import UsageError

if TYPE_CHECKING:
    import torch

    from codex.checkpoint.memory import Bytes

    Tensors: TypeAlias = Mapping[str, torch.Tensor]
    _Row: TypeAlias = tuple[str, str, tuple[int, ...], Bytes]
    _Rows: TypeAlias = tuple[str, list[_Row], dict[str, str], dict[str, str]]
    Contents: TypeAlias = tuple[int, list[_Rows], list[tuple[str, bytes]], Sequence[str], str, int]
    Keep: TypeAlias = Callable[[Sequence[Tensors]], Sequence[Mapping[str, Bytes]]]

__all__ = ["SHARD_BYTES", "contents", "save", "save_tensors"]

#: A tensor file with more bytes than this becomes several with an index.
SHARD_BYTES = 5_000_000_000


def save(
    checkpoints: Path | str,
    step: int,
    *,
    model: Tensors,
    optimizer: Tensors,
    state_tensors: Tensors,
    state: Mapping[str, Any],
    files: Mapping[str, bytes],
    parents: Sequence[str] = (),
    digest: str = "xxh3",
    shard_bytes: int = SHARD_BYTES,
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
        state: JSON values only: string keys, lists, finite numbers. `metrics` in it is what was measured at
            this step, name to number; `rotate` keeps the best by one of them.
        files: name to bytes, stored as they are: `config.json`, `tokenizer.json`. With `adapter_config.json` among them
            the model is an adapter, and lies where peft looks for it.
        parents: digests of what it was made from.
        digest: `xxh3` against damage, at the speed of the disk; `sha256` for an identity of every tensor.
        shard_bytes: a tensor file with more than this becomes several, named as Hugging Face names them.
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
    return checkpoint_save(
        checkpoints,
        contents(
            step,
            model=model,
            optimizer=optimizer,
            state_tensors=state_tensors,
            state=state,
            files=files,
            parents=parents,
            digest=digest,
            shard_bytes=shard_bytes,
        ),
    )


def save_tensors(
    folder: Path | str,
    tensors: Tensors,
    metadata: Mapping[str, str] | None = None,
    digest: str = "xxh3",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Save tensors as the folder `folder`: `model.safetensors` and the manifest that proves it, durable on return.

    Written as `save` writes a checkpoint, so it is whole or not there, and `verify` and `load_tensors` hold
    it against its manifest. The official safetensors package reads the file.

    Args:
        folder: what the folder will be called; those above it are made if they are missing.
        tensors: by name; tied ones are stored once.
        metadata: notes for the header of the file.
        digest: `xxh3` or `sha256`.
        overwrite: whether a folder with a manifest may be replaced, in one step. Any other is refused.
    Returns:
        The manifest.
    Raises:
        UsageError: if something is in the way, or the tensors cannot be stored as they are.
        DiskFullError: if the disk has no room; what was there stays.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as home:
    ...     manifest = save_tensors(f"{home}/mean", {"mean": torch.zeros(2)}, digest="sha256")
    >>> [file["path"] for file in manifest["files"]]
    ['model.safetensors']
    """
    notes = dict(metadata or {})
    for key, note in notes.items():
        if not isinstance(key, str) or not isinstance(note, str):
            raise UsageError(f"`metadata` holds {key!r}: {note!r}, expected text for text")
    stored, tied = untie(tensors)
    _check_dtypes(stored)
    [data] = where_they_lie([stored])
    rows: list[_Rows] = [(MODEL_FILE, _rows(stored, data), tied, notes)]
    manifest = checkpoint_save_folder(folder, (0, rows, [], (), digest, SHARD_BYTES), overwrite)
    found: dict[str, Any] = json.loads(manifest)
    return found


def contents(
    step: int,
    *,
    model: Tensors,
    optimizer: Tensors,
    state_tensors: Tensors,
    state: Mapping[str, Any],
    files: Mapping[str, bytes],
    parents: Sequence[str],
    digest: str,
    shard_bytes: int,
    keep: Keep = where_they_lie,
) -> Contents:
    """What the crate is handed for a save.

    Args:
        keep: takes the tensors to store, file by file, and returns the bytes to be read: where they lie, or
            copied. Everything else has been checked when it is called.
    Raises:
        UsageError: as `save`.
    """
    if STATE_FILE in files:
        raise UsageError(f"`{STATE_FILE}` cannot be among the files, the state is written there")
    if shard_bytes < 1:
        raise UsageError(f"`shard_bytes` is {shard_bytes}, expected at least 1")
    small = [(STATE_FILE, state_bytes(step, state)), *files.items()]
    parts = [untie(part) for part in (model, optimizer, state_tensors)]
    for stored, _ in parts:
        _check_dtypes(stored)
    kept = keep([stored for stored, _ in parts])
    names = (model_file(files), OPTIMIZER_FILE, STATE_TENSORS_FILE)
    rows: list[_Rows] = [
        (name, _rows(stored, data), tied, {})
        for name, (stored, tied), data in zip(names, parts, kept, strict=True)
    ]
    return step, rows, small, parents, digest, shard_bytes


def _rows(stored: Tensors, data: Mapping[str, Bytes]) -> list[_Row]:
    """Name, dtype, shape and bytes of each tensor to store."""
    names = _dtype_names()
    return [(name, names[tensor.dtype], tuple(tensor.shape), data[name]) for name, tensor in stored.items()]


def _check_dtypes(stored: Tensors) -> None:
    known = _dtype_names()
    for name, tensor in stored.items():
        if tensor.dtype not in known:
            raise UsageError(
                f"tensor `{name}` is {tensor.dtype}, expected one of {', '.join(map(str, known))}"
            )


@functools.cache
def _dtype_names() -> dict[torch.dtype, str]:
    return {dtype: name for name, dtype in dtypes().items()}
