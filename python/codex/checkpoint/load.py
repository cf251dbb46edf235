"""One load: every byte is checked against its digest on its way into a tensor."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex._core import CheckpointReader
from codex.checkpoint.fill import plan
from codex.checkpoint.layout import MODEL_FILE, OPTIMIZER_FILE, STATE_FILE, STATE_TENSORS_FILE, model_file
from codex.checkpoint.migrate import read_state
from codex.errors import UsageError

if TYPE_CHECKING:
    import torch

    from codex.checkpoint.fill import Device

__all__ = ["Loaded", "load", "load_tensors"]

#: The tensor files of a checkpoint, by the name of the field they fill.
_PARTS = {"model": MODEL_FILE, "optimizer": OPTIMIZER_FILE, "state_tensors": STATE_TENSORS_FILE}


@dataclass(frozen=True)
class Loaded:
    """One checkpoint in memory; tied names hold the same tensor."""

    path: Path
    step: int
    model: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    state_tensors: dict[str, torch.Tensor]
    #: As it was saved, `step` included; measurements are in `metrics`, whatever version wrote them.
    state: dict[str, Any]
    #: The extra files, `config.json` for instance.
    files: dict[str, bytes]


def load(
    path: Path | str,
    *,
    parts: Collection[str] = tuple(_PARTS),
    into: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    map_location: Device = None,
) -> Loaded:
    """Load the checkpoint in the folder `path`; nothing unchecked comes back.

    Args:
        path: one checkpoint, `.../step-00001000`.
        parts: which of `model`, `optimizer` and `state_tensors` to read; the others stay empty. A model for
            inference is a third of the bytes.
        into: live tensors to fill in place instead of new ones, by part: `{"model": model.state_dict()}`. These
            parts are read in any case. On the CPU their bytes come straight from the disk, without a second copy.
        map_location: the device of new tensors; the CPU if None.
    Raises:
        MissingDataError: if there is no such folder.
        DamageError: naming the file, and the tensor where there is one, whose bytes are not those that were
            saved; then tensors of `into` may hold anything. Or whose name, dtype or shape is not the one in `into`;
            then nothing has been touched.

    >>> import tempfile, torch
    >>> from codex.checkpoint import save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = {"scale": torch.ones(3)}
    ...     path = save(folder, 7, model=model, optimizer={}, state_tensors={}, state={"epoch": 0}, files={})
    ...     loaded = load(path)
    >>> loaded.model["scale"], loaded.state
    (tensor([1., 1., 1.]), {'epoch': 0, 'metrics': {}, 'step': 7})
    """
    into = into or {}
    for part in (*parts, *into):
        if part not in _PARTS:
            raise UsageError(f"`{part}` is not a part of a checkpoint, expected one of {', '.join(_PARTS)}")
    reader = CheckpointReader(path)
    state = read_state(reader.read_file(STATE_FILE), f"{reader.path}/{STATE_FILE}")
    files = {name: reader.read_file(name) for name in reader.plain_files if name != STATE_FILE}
    places = {**_PARTS, "model": model_file(files)}
    plans = {
        part: plan(reader, file, into=into.get(part), map_location=None if part in into else map_location)
        for part, file in places.items()
        if part in parts or part in into
    }
    tensors = {part: plans[part].read() if part in plans else {} for part in _PARTS}
    return Loaded(path=Path(path), step=reader.step, state=state, files=files, **tensors)


def load_tensors(
    folder: Path | str,
    into: Mapping[str, torch.Tensor] | None = None,
    *,
    verify: bool = True,
    map_location: Device = None,
    cast: bool = False,
) -> dict[str, torch.Tensor]:
    """Load the tensors that `save_tensors` put into `folder`, or the model of a checkpoint.

    Args:
        folder: what was saved.
        into: live tensors to fill in place, by name; each stored tensor needs a place under one of its names.
        verify: compare every byte with its digest. Without it names, sizes and headers are checked still, and a
            changed byte inside a tensor goes unnoticed; it saves the time of the digest, which shows with SHA-256.
        map_location: the device of new tensors; the CPU if None.
        cast: convert to the dtype of the live tensor, and to its shape if that has as many elements.
    Returns:
        The tensors by name, ties and all; those of `into` if it was given.
    Raises:
        MissingDataError: if there is no such folder.
        DamageError: as `load`.
        UsageError: if tensors of `into` overlap without being the same.

    >>> import tempfile, torch
    >>> from codex.checkpoint import save_tensors
    >>> live = {"scale": torch.zeros(3)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     manifest = save_tensors(f"{folder}/scale", {"scale": torch.ones(3)})
    ...     loaded = load_tensors(f"{folder}/scale", into=live)
    >>> live["scale"]
    tensor([1., 1., 1.])
    """
    reader = CheckpointReader(folder)
    return plan(reader, MODEL_FILE, into=into, map_location=map_location, cast=cast).read(verify=verify)
