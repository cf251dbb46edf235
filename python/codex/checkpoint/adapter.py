"""A checkpoint of an adapter: which weights it was learned on, and one checkpoint of both.

It holds nothing of those weights but their digest (`adapter.base` of its state) and where they lay (`model.pretrained`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from codex.checkpoint.find import list_checkpoints
from codex.checkpoint.layout import ADAPTER_CONFIG_FILE
from codex.checkpoint.load import Loaded, load
from codex.checkpoint.save import save
from codex.errors import DamageError, MissingDataError, UsageError
from codex.file import read_manifest

__all__ = ["base_of", "checkpoint_of_digest", "is_adapter", "load_whole", "merge_adapter"]


def is_adapter(loaded: Loaded) -> bool:
    """Whether a checkpoint holds an adapter and not the whole of a model."""
    return ADAPTER_CONFIG_FILE in loaded.files


def checkpoint_of_digest(path: Path, digest: str) -> Path:
    """The checkpoint whose manifest has `digest`: at `path`, or among those of the run or folder there.

    Raises:
        MissingDataError: if there is none.
    """
    for folder in _checkpoints(path):
        if read_manifest(folder)["digest"] == digest:
            return folder
    raise MissingDataError(
        f"the weights that the adapter was learned on are not at `{path}`, expected a checkpoint with the digest {digest}",
        hint="bring them back; `codex checkpoint pin` keeps a checkpoint from rotation",
    )


def _checkpoints(path: Path) -> Iterator[Path]:
    if (path / "manifest.json").is_file():
        yield path
        return
    folder = path / "checkpoints" if (path / "checkpoints").is_dir() else path
    if folder.is_dir():
        yield from (summary.path for summary in list_checkpoints(folder).checkpoints)


def base_of(adapter: Loaded) -> Path:
    """The checkpoint that an adapter was learned on.

    Raises:
        MissingDataError: if it is gone, or another is in its place.
        DamageError: if the adapter does not say which it is.
    """
    try:
        pretrained, digest = adapter.state["config"]["model"]["pretrained"], adapter.state["adapter"]["base"]
    except KeyError as error:
        raise DamageError(
            f"the state in `{adapter.path}` lacks {error}, expected that of an adapter"
        ) from None
    return checkpoint_of_digest(Path(pretrained), digest)


def load_whole(path: Path | str) -> Loaded:
    """All weights of the model in a checkpoint; an adapter is merged into those it was learned on.

    Raises:
        MissingDataError: if there is no checkpoint, or the weights of an adapter are gone.
        DamageError: naming the file, and the tensor, that is not what was saved.
    """
    loaded = load(path, parts=("model",))
    if not is_adapter(loaded):
        return loaded
    from codex.adapt import merge

    whole = load(base_of(loaded), parts=("model",)).model
    merge(loaded.model, json.loads(loaded.files[ADAPTER_CONFIG_FILE]), into=whole)
    return replace(loaded, model=whole)


def merge_adapter(adapter: Path, out: Path, *, overwrite: bool = False) -> Path:
    """Make a checkpoint of a whole model from that of an adapter and the weights it was learned on.

    Args:
        adapter: one checkpoint, `.../step-00001000`.
        out: the folder of checkpoints to make it in, under the same step.
        overwrite: replace that step if it is there.
    Returns:
        The checkpoint, durable; its manifest names both by digest as parents.
    Raises:
        UsageError: if `adapter` is none, or the checkpoint is there already.
        MissingDataError: if the weights are gone.
    """
    loaded = load_whole(adapter)
    if not is_adapter(loaded):
        raise UsageError(f"`{adapter}` holds a whole model, expected an adapter")
    place = out / f"step-{loaded.step:08}"
    if place.exists() and not overwrite:
        raise UsageError(f"`{place}` is there already", hint="name another folder, or give `--overwrite`")
    parents = {"adapter": read_manifest(adapter)["digest"], "base": loaded.state["adapter"]["base"]}
    config = {name: section for name, section in loaded.state["config"].items() if name != "adapt"}
    config["model"] = {**config["model"], "pretrained": None}
    return save(
        out,
        loaded.step,
        model=loaded.model,
        optimizer={},
        state_tensors={},
        state={"config": config, "merged": parents, "metrics": loaded.state["metrics"]},
        files={name: data for name, data in loaded.files.items() if name != ADAPTER_CONFIG_FILE},
        parents=sorted(parents.values()),
    )
