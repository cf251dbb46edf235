"""Shards and their index that lie, sealed again as a liar would: each is refused with a message of its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checkpoint.refusal import edit_manifest, refused

SaveStep = Callable[..., Path]

INDEX = "model.safetensors.index.json"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def seal(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest and make its sizes and digests those of the files as they are."""

    def and_digests(manifest: dict[str, Any]) -> None:
        edit(manifest)
        for entry in manifest["files"]:
            if (path / entry["path"]).is_file() and entry["path"] not in manifest["tensors"]:
                data = (path / entry["path"]).read_bytes()
                entry |= {"bytes": len(data), "digest": "sha256:" + hashlib.sha256(data).hexdigest()}

    edit_manifest(path, and_digests)


def drop(path: Path, name: str) -> Callable[[dict[str, Any]], None]:
    """Take a file away, and out of the manifest."""
    (path / name).unlink()

    def edit(manifest: dict[str, Any]) -> None:
        manifest["files"] = [entry for entry in manifest["files"] if entry["path"] != name]
        manifest["tensors"].pop(name, None)

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda index: index.pop("weight_map"), "`weight_map` is not an object"),
        (lambda index: index.update(weight_map=[]), "`weight_map` is not an object"),
        (lambda index: index["weight_map"].pop("embed.weight"), f'`weight_map.embed.weight` is null, expected "{FIRST}"'),
        (lambda index: index["weight_map"].update({"embed.weight": SECOND}), f'is "{SECOND}", expected "{FIRST}"'),
        (lambda index: index["weight_map"].update({"embed.weight": 1}), f'is 1, expected "{FIRST}"'),
        (lambda index: index["weight_map"].update(x=FIRST), "`weight_map.x` is a tensor that no shard holds"),
        (lambda index: index["weight_map"].update({"embed.weight": "../x"}), f'is "../x", expected "{FIRST}"'),
    ],
)  # fmt: skip
def test_an_index_that_disagrees_with_the_shards_is_refused(
    save_in_shards: SaveStep, edit: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = save_in_shards(1)
    index = json.loads((path / INDEX).read_bytes())
    assert set(index["weight_map"].values()) == {FIRST, SECOND}
    edit(index)
    (path / INDEX).write_text(json.dumps(index))
    seal(path, lambda manifest: None)
    said = refused(path)
    assert f"{INDEX}`: " in said and message in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON: EOF"),
        ("{", "not valid JSON: EOF"),
        ('{"weight_map": {}, "weight_map": {}}', "the key `weight_map` stands twice"),
        ("[" * 200, "recursion limit exceeded"),
    ],
)
def test_an_index_that_is_not_one_is_refused(save_in_shards: SaveStep, text: str, message: str) -> None:
    path = save_in_shards(1)
    (path / INDEX).write_text(text)
    seal(path, lambda manifest: None)
    said = refused(path)
    assert f"{INDEX}`: " in said and message in said


def test_a_set_of_shards_that_is_not_whole_is_refused(save_in_shards: SaveStep) -> None:
    path = save_in_shards(1)
    seal(path, drop(path, FIRST))
    assert f"lists `{SECOND}` as number 1 of 1 shards" in refused(path)


def test_shards_without_their_index_are_refused(save_in_shards: SaveStep) -> None:
    path = save_in_shards(1)
    seal(path, drop(path, INDEX))
    assert f"manifest.json`: lists shards and no `{INDEX}`" in refused(path)


def test_one_file_and_its_shards_together_are_refused(save_step: SaveStep, save_in_shards: SaveStep) -> None:
    whole, path = save_step(2), save_in_shards(1)
    (path / "model.safetensors").write_bytes((whole / "model.safetensors").read_bytes())
    entries = json.loads((whole / "manifest.json").read_bytes())

    def add(manifest: dict[str, Any]) -> None:
        manifest["files"] += [entry for entry in entries["files"] if entry["path"] == "model.safetensors"]
        manifest["tensors"]["model.safetensors"] = entries["tensors"]["model.safetensors"]

    seal(path, add)
    assert f"lists both `model.safetensors` and `{FIRST}`" in refused(path)


def test_a_tensor_that_lies_in_two_shards_is_refused(save_in_shards: SaveStep) -> None:
    path = save_in_shards(1)

    def edit(manifest: dict[str, Any]) -> None:
        tensors = manifest["tensors"]
        tensors[SECOND]["tensors"]["embed.weight"] = tensors[FIRST]["tensors"]["embed.weight"]

    seal(path, edit)
    assert f"tensor `embed.weight` lies in `{FIRST}` and in `{SECOND}`" in refused(path)
