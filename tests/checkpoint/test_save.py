"""What a save writes: shards, digests, and folders of tensors that are no checkpoint of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from codex.checkpoint import load, save, save_tensors, verify
from codex.errors import DiskFullError, UsageError
from codex.file import FailPoints, Lock

safetensors = pytest.importorskip("safetensors.torch", reason="needs requirements/dev.txt")


def tensors() -> dict[str, torch.Tensor]:
    """400, 400, 400, 2000 and 100 bytes, and an alias."""
    model = {name: torch.randn(100) for name in ("c", "a", "b")}
    return {**model, "large": torch.randn(500), "small": torch.randn(25), "alias": model["a"]}


def save_model(folder: Path, model: dict[str, torch.Tensor], **how: Any) -> Path:
    return save(folder, 1, model=model, optimizer={}, state_tensors={}, state={}, files={}, **how)


def test_a_file_past_the_limit_becomes_shards_that_any_tool_can_open(tmp_path: Path) -> None:
    model = tensors()
    path = save_model(tmp_path, model, shard_bytes=900)
    index = json.loads((path / "model.safetensors.index.json").read_text())
    assert index == {
        "metadata": {"total_size": 3300},
        "weight_map": {
            "a": "model-00001-of-00004.safetensors",
            "b": "model-00002-of-00004.safetensors",
            "c": "model-00001-of-00004.safetensors",
            "large": "model-00003-of-00004.safetensors",
            "small": "model-00004-of-00004.safetensors",
        },
    }
    text = (path / "model.safetensors.index.json").read_text()
    assert text == json.dumps(index, indent=2, sort_keys=True) + "\n"
    for name, file in index["weight_map"].items():
        assert torch.equal(safetensors.load_file(path / file)[name], model[name])
    assert not (path / "model.safetensors").exists()
    assert (path / "optimizer.safetensors").exists()
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["tensors"]["model-00001-of-00004.safetensors"]["tied"] == {"alias": "a"}
    assert verify(path).tensors == 5
    read = load(path).model
    assert read.keys() == model.keys() and all(torch.equal(read[name], model[name]) for name in model)
    assert read["alias"].data_ptr() == read["a"].data_ptr()


@pytest.mark.parametrize("shard_bytes", [3300, 10**9])
def test_a_file_at_the_limit_is_one(tmp_path: Path, shard_bytes: int) -> None:
    path = save_model(tmp_path, tensors(), shard_bytes=shard_bytes)
    assert sorted(file.name for file in path.glob("model*")) == ["model.safetensors"]


def test_shards_are_replaced_by_fewer_without_a_trace(tmp_path: Path) -> None:
    model = tensors()
    save_model(tmp_path, model, shard_bytes=1)
    path = save_model(tmp_path, model)
    assert sorted(file.name for file in path.glob("model*")) == ["model.safetensors"]


def test_a_shard_of_no_bytes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`shard_bytes` is 0, expected at least 1"):
        save_model(tmp_path, tensors(), shard_bytes=0)


@pytest.mark.parametrize(("digest", "other"), [("xxh3", "sha256:"), ("sha256", "xxh3-128:")])
def test_one_digest_covers_everything_but_the_manifest_itself(
    tmp_path: Path, digest: str, other: str
) -> None:
    path = save_model(tmp_path, tensors(), digest=digest, shard_bytes=900)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest.pop("digest")
    assert other not in json.dumps(manifest)
    assert json.dumps(manifest).count(digest) > 12
    verify(path)


def test_tensors_are_a_folder_of_their_own_with_the_manifest_that_is_returned(tmp_path: Path) -> None:
    model = tensors()
    folder = tmp_path / "deep" / "means"
    manifest = save_tensors(folder, model, {"made by": "a test"}, digest="sha256")
    assert manifest == json.loads((folder / "manifest.json").read_text())
    assert sorted(file.name for file in folder.iterdir()) == ["manifest.json", "model.safetensors"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["means"]
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "made by": "a test"}
        assert all(torch.equal(file.get_tensor(name), model[name]) for name in file.keys())  # noqa: SIM118
    assert verify(folder).tensors == 5


def test_a_folder_of_tensors_is_replaced_only_if_asked_and_never_if_it_is_something_else(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "means"
    save_tensors(folder, {"mean": torch.zeros(2)})
    with pytest.raises(UsageError, match="means`: exists already"):
        save_tensors(folder, {"mean": torch.ones(2)})
    save_tensors(folder, {"mean": torch.ones(2)}, overwrite=True)
    assert torch.equal(safetensors.load_file(folder / "model.safetensors")["mean"], torch.ones(2))
    with FailPoints("checkpoint.model.write=enospc"), pytest.raises(DiskFullError):
        save_tensors(folder, {"mean": torch.zeros(2)}, overwrite=True)
    assert torch.equal(safetensors.load_file(folder / "model.safetensors")["mean"], torch.ones(2))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").touch()
    for place in (tmp_path / "home", tmp_path / "home" / "thesis.tex"):
        with pytest.raises(UsageError, match="only a folder with a manifest is overwritten"):
            save_tensors(place, {}, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "means"]


def test_tensors_beside_a_folder_of_checkpoints_need_no_turn(tmp_path: Path) -> None:
    with Lock(tmp_path / "writer.lock"):
        save_tensors(tmp_path / "means", {"mean": torch.zeros(2)})


@pytest.mark.parametrize("metadata", [{"steps": 3}, {3: "steps"}])
def test_notes_that_are_not_text_are_refused(tmp_path: Path, metadata: Any) -> None:
    with pytest.raises(UsageError, match=re.escape("expected text for text")):
        save_tensors(tmp_path / "means", {}, metadata)
