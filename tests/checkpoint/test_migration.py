"""What older versions wrote stays readable; what a newer one wrote is refused by name.

`golden/version-1` was saved by the code of the first version and is never written again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import rfc8785
import torch

from codex.checkpoint import find_latest, list_checkpoints, load, save, verify
from codex.checkpoint.layout import SCHEMA_VERSION
from codex.errors import DamageError

GOLDEN = Path(__file__).parent / "golden" / "version-1"
STATE = {"epoch": 1, "loss": 1.75, "position": {"index": 96, "seed": 0}, "step": 12}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the golden checkpoint."""
    return Path(shutil.copytree(GOLDEN, tmp_path / "old")) / "step-00000012"


def rewrite_state(path: Path, edit: dict[str, Any]) -> None:
    """Change the state and everything that covers it, as another version would have written it."""
    state = json.loads((path / "state.json").read_bytes()) | edit
    text = json.dumps({key: value for key, value in state.items() if value is not None}).encode()
    (path / "state.json").write_bytes(text)
    digest = "sha256:" + hashlib.sha256(text).hexdigest()
    rewrite_manifest(path, {"state.json": {"path": "state.json", "bytes": len(text), "digest": digest}})


def rewrite_manifest(path: Path, entries: dict[str, Any], **fields: Any) -> None:
    manifest = json.loads((path / "manifest.json").read_bytes()) | fields
    del manifest["digest"]
    manifest["files"] = [entries.get(entry["path"], entry) for entry in manifest["files"]]
    manifest["digest"] = "sha256:" + hashlib.sha256(rfc8785.dumps(manifest)).hexdigest()
    (path / "manifest.json").write_bytes(rfc8785.dumps(manifest) + b"\n")


def test_a_checkpoint_of_version_1_is_found_verified_and_loaded(old: Path) -> None:
    found = find_latest(old.parent)
    assert found is not None and (found.path, found.skipped) == (old, [])
    assert verify(old).metrics == {"held_out_bits_per_byte": 2.25}
    assert list_checkpoints(old.parent).checkpoints[0].metrics == {"held_out_bits_per_byte": 2.25}
    loaded = load(old)
    embedding = torch.arange(8, dtype=torch.float32).reshape(4, 2) / 8
    assert torch.equal(loaded.model["embed.weight"], embedding)
    assert loaded.model["head.weight"] is loaded.model["embed.weight"]
    assert torch.equal(loaded.model["norm.weight"], torch.tensor([1.5, -2.0], dtype=torch.bfloat16))
    assert torch.equal(loaded.optimizer["momentum.embed.weight"], -embedding)
    assert torch.equal(loaded.state_tensors["rng.python"], torch.arange(16, dtype=torch.uint8))
    assert loaded.files == {"config.json": b'{"model_type": "qwen3"}\n'}


def test_its_metric_moves_to_where_this_version_has_it(old: Path) -> None:
    assert load(old).state == {**STATE, "metrics": {"held_out_bits_per_byte": 2.25}}
    rewrite_state(old, {"held_out_bits_per_byte": None})
    assert load(old).state == {**STATE, "metrics": {}}


def test_saved_again_it_is_of_this_version(old: Path, tmp_path: Path) -> None:
    loaded = load(old)
    path = save(
        tmp_path / "new",
        loaded.step,
        model=loaded.model,
        optimizer=loaded.optimizer,
        state_tensors=loaded.state_tensors,
        state=loaded.state,
        files=loaded.files,
    )
    assert json.loads((path / "state.json").read_bytes())["schema_version"] == SCHEMA_VERSION == 2
    assert load(path).state == loaded.state
    assert verify(path).metrics == {"held_out_bits_per_byte": 2.25}


def test_a_state_of_a_newer_version_is_refused_by_name(old: Path) -> None:
    rewrite_state(old, {"schema_version": 3})
    for look in (verify, load, find_latest):
        with pytest.raises(
            DamageError, match=r"state.json`: has schema version 3, expected at most 2"
        ) as error:
            look(old.parent if look is find_latest else old)
        if look is verify:
            assert error.value.hint == "a newer codex wrote it: upgrade to read it"
    unreadable = list_checkpoints(old.parent).unreadable
    assert [(skipped.path, "schema version 3" in skipped.reason) for skipped in unreadable] == [(old, True)]


@pytest.mark.parametrize("version", [None, "2", 0, -1, 1.5, True])
def test_a_state_without_a_version_is_refused(old: Path, version: object) -> None:
    rewrite_state(old, {"schema_version": version})
    with pytest.raises(DamageError, match=r"state.json`: `schema_version` is .*, expected 1 to 2"):
        load(old)


def test_a_manifest_of_a_newer_version_is_refused_by_name(old: Path) -> None:
    rewrite_manifest(old, {}, schema_version=2)
    for look in (verify, load):
        with pytest.raises(DamageError, match=r"manifest.json.*schema version 2"):
            look(old)
