"""One load: every byte is checked against its digest on its way into a tensor."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex._core import CheckpointReader
from codex.checkpoint.layout import (
    MODEL_FILE,
    OPTIMIZER_FILE,
    SCHEMA_VERSION,
    STATE_FILE,
    STATE_TENSORS_FILE,
    dtypes,
)
from codex.errors import DamageError, UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["Loaded", "load"]

#: The tensor files of a checkpoint, by the name of the field they fill.
_PARTS = {"model": MODEL_FILE, "optimizer": OPTIMIZER_FILE, "state_tensors": STATE_TENSORS_FILE}


@dataclass(frozen=True)
class Loaded:
    """One checkpoint in memory, on the CPU; tied names hold the same tensor."""

    path: Path
    step: int
    model: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    state_tensors: dict[str, torch.Tensor]
    #: As it was saved, `step` included.
    state: dict[str, Any]
    #: The extra files, `config.json` for instance.
    files: dict[str, bytes]


def load(path: Path | str, *, parts: Collection[str] = tuple(_PARTS)) -> Loaded:
    """Load the checkpoint in the folder `path`; nothing unchecked comes back.

    Args:
        path: one checkpoint, `.../step-00001000`.
        parts: which of `model`, `optimizer` and `state_tensors` to read; the others stay empty. A model for
            inference is a third of the bytes.
    Raises:
        MissingDataError: if there is no such folder.
        DamageError: naming the file, and the tensor where there is one, whose bytes are not those that were
            saved.

    >>> import tempfile, torch
    >>> from codex.checkpoint import save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = {"scale": torch.ones(3)}
    ...     path = save(folder, 7, model=model, optimizer={}, state_tensors={}, state={"epoch": 0}, files={})
    ...     loaded = load(path)
    >>> loaded.model["scale"], loaded.state
    (tensor([1., 1., 1.]), {'epoch': 0, 'step': 7})
    """
    for part in parts:
        if part not in _PARTS:
            raise UsageError(f"`{part}` is not a part of a checkpoint, expected one of {', '.join(_PARTS)}")
    reader = CheckpointReader(path)
    state = _state(reader)
    tensors = {part: _tensors(reader, file) if part in parts else {} for part, file in _PARTS.items()}
    others = [name for name in reader.files if name not in (*_PARTS.values(), STATE_FILE)]
    files = {name: reader.read_file(name) for name in others}
    return Loaded(path=Path(path), step=reader.step, state=state, files=files, **tensors)


def _tensors(reader: CheckpointReader, file: str) -> dict[str, torch.Tensor]:
    import torch

    rows, tied = reader.tensors(file)
    tensors = {name: torch.empty(shape, dtype=dtypes()[dtype]) for name, dtype, shape in rows}
    reader.read_into(
        file, [(name, tensor.reshape(-1).view(torch.uint8).numpy()) for name, tensor in tensors.items()]
    )
    return tensors | {alias: tensors[name] for alias, name in tied.items()}


def _state(reader: CheckpointReader) -> dict[str, Any]:
    state = json.loads(reader.read_file(STATE_FILE))
    version = state.pop("schema_version", None) if isinstance(state, dict) else None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise DamageError(
            f"`schema_version` is {version}, expected at most {SCHEMA_VERSION} ({reader.path}/{STATE_FILE})",
            hint="a newer codex wrote it: upgrade to read it",
        )
    return dict(state)
