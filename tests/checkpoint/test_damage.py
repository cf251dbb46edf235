"""No damage goes unnoticed: every error names the file, and the tensor where there is one."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from codex._core import CheckpointReader
from codex.checkpoint import find_latest, load, verify
from codex.errors import CodexError, DamageError, MissingDataError
from tests.checkpoint.refusal import edit_manifest, refused

SaveStep = Callable[..., Path]

FLIPS_PER_FILE = 150


@pytest.fixture(params=["save_step", "save_in_shards"])
def saved(request: pytest.FixtureRequest) -> Path:
    """One checkpoint: with XXH3 in one file for each part, and with SHA-256 in shards."""
    path: Path = request.getfixturevalue(request.param)(1000)
    assert (path / "optimizer.safetensors.index.json").exists() == (request.param == "save_in_shards")
    return path


def flip(path: Path, bit: int) -> None:
    """Turn one bit over; done twice, nothing has happened."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def test_any_flipped_bit_is_refused_naming_the_file(saved: Path) -> None:
    path = saved
    choose = random.Random(7)
    flips = 0
    for file in sorted(path.iterdir()):
        bits = file.stat().st_size * 8
        edges = [0, 7, 63, 64, bits // 2, bits - 1]
        for bit in [bit for bit in edges if bit < bits] + [
            choose.randrange(bits) for _ in range(FLIPS_PER_FILE)
        ]:
            flip(file, bit)
            assert file.name in refused(path), f"bit {bit} of {file.name}"
            flip(file, bit)
            flips += 1
    assert flips > 1000
    verify(path)


def test_damage_in_a_tensor_names_the_tensor(save_step: SaveStep) -> None:
    path = save_step(1)
    for file in ("model.safetensors", "optimizer.safetensors", "state.safetensors"):
        data = (path / file).read_bytes()
        header_bytes = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:header_bytes])
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            for offset in (start, (start + end) // 2, end - 1):
                flip(path / file, (header_bytes + offset) * 8)
                message = refused(path)
                assert f"tensor `{name}` is damaged" in message and file in message
                flip(path / file, (header_bytes + offset) * 8)
    verify(path)


def test_every_cut_and_every_added_byte_is_refused_naming_the_file(saved: Path) -> None:
    path = saved
    for file in sorted(path.iterdir()):
        data = file.read_bytes()
        for length in {len(data) * part // 64 for part in range(64)}:
            file.write_bytes(data[:length])
            assert file.name in refused(path)
        file.write_bytes(data + b"\0")
        assert file.name in refused(path)
        file.write_bytes(data)
    verify(path)


def test_a_zeroed_stretch_is_refused(save_step: SaveStep) -> None:
    path = save_step(2)
    file = path / "optimizer.safetensors"
    data = bytearray(file.read_bytes())
    data[-1024:] = bytes(1024)
    file.write_bytes(data)
    assert "tensor `momentum.b` is damaged" in refused(path)


def test_a_missing_a_renamed_and_an_extra_file_are_refused(saved: Path) -> None:
    path = saved
    for file in sorted(path.iterdir()):
        away = path.parent / "away"
        file.rename(away)
        message = refused(path)
        assert file.name in message and ("is missing" in message or "has no manifest.json" in message)
        away.rename(path / "renamed")
        assert file.name in refused(path)
        (path / "renamed").rename(file)
    (path / "extra").write_bytes(b"")
    assert "extra`: is not listed in the manifest" in refused(path)
    (path / "extra").unlink()
    (path / "extra").mkdir()
    assert "extra`: is not listed in the manifest" in refused(path)
    (path / "extra").rmdir()
    (path / "build.json").write_text("{}")
    verify(path)


def test_shards_that_change_places_are_refused(save_in_shards: SaveStep) -> None:
    path = save_in_shards(1)
    first, second, aside = (path / f"optimizer-0000{n}-of-00002.safetensors" for n in (1, 2, 3))
    for old, new in ((first, aside), (second, first), (aside, second)):
        old.rename(new)
    assert "optimizer-00001-of-00002.safetensors" in refused(path)


def test_a_pin_is_no_part_of_a_checkpoint(save_step: SaveStep, checkpoints: Path) -> None:
    path = save_step(3)
    (checkpoints / "step-00000003.pin").write_bytes(b"\xff" * 9)
    found = find_latest(checkpoints)
    assert verify(path).step == 3 and found is not None and (found.path, found.skipped) == (path, [])
    (path / "step-00000003.pin").write_bytes(b"")
    assert "step-00000003.pin`: is not listed in the manifest" in refused(path)


def test_a_link_in_place_of_a_file_is_refused(save_step: SaveStep) -> None:
    path = save_step(3)
    file = path / "config.json"
    file.rename(path.parent / "elsewhere")
    file.symlink_to(path.parent / "elsewhere")
    assert "config.json`: is not a regular file" in refused(path)


def test_files_swapped_between_two_steps_are_refused(save_step: SaveStep) -> None:
    first, second = save_step(1), save_step(2)
    for file in sorted(first.iterdir()):
        if file.read_bytes() == (second / file.name).read_bytes():
            continue
        mine, theirs = file.read_bytes(), (second / file.name).read_bytes()
        file.write_bytes(theirs)
        (second / file.name).write_bytes(mine)
        # A swapped manifest is whole in itself: what is named is the first file that does not fit it.
        wanted = "state.json" if file.name == "manifest.json" else file.name
        assert wanted in refused(first) and wanted in refused(second)
        file.write_bytes(mine)
        (second / file.name).write_bytes(theirs)
    verify(first), verify(second)


MODEL = "model.safetensors"
ZEROS = "xxh3-128:" + "0" * 32


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda all: all.update(schema_version=99), "schema version 99"),
        (lambda all: all.update(kind="records"), "describes `records`, expected `checkpoint`"),
        (lambda all: all.update(step="1"), "`step` is not a whole number"),
        (lambda all: all["files"].pop(), "is not listed in the manifest"),
        (lambda all: all["files"].append(all["files"][0]), "is not listed once"),
        (lambda all: all["files"][0].update(path="../../x"), "leaves its folder"),
        (lambda all: all["tensors"][MODEL]["tensors"].popitem(), "which the manifest does not"),
        (lambda all: all["tensors"][MODEL]["tensors"].update(x=ZEROS), "lists 2 tensors, expected 3"),
        (
            lambda all: all["tensors"][MODEL]["tied"].update(a="b"),
            "`tensors.model.safetensors.tied.a` is not",
        ),
    ],
)
def test_a_manifest_that_was_edited_and_sealed_again_is_refused(
    save_step: SaveStep, edit: Callable[[dict[str, object]], object], message: str
) -> None:
    path = save_step(1)
    edit_manifest(path, edit)
    assert message in refused(path)


def test_a_header_that_claims_the_moon_is_refused_without_reading_it(save_step: SaveStep) -> None:
    path = save_step(1)
    with (path / "model.safetensors").open("r+b") as file:
        file.write((2**62).to_bytes(8, "little"))
    assert f"the header is damaged: it claims {2**62} bytes" in refused(path)


def test_a_missing_checkpoint_is_missing_not_damaged(tmp_path: Path) -> None:
    for look in (verify, load):
        with pytest.raises(MissingDataError, match="step-00000009"):
            look(tmp_path / "step-00000009")


def test_the_newest_good_one_is_found_and_the_reasons_are_told(
    save_step: SaveStep, checkpoints: Path
) -> None:
    paths = {step: save_step(step) for step in (1, 2, 3, 4)}
    flip(paths[4] / "optimizer.safetensors", 8 * 4000)
    (paths[3] / "manifest.json").unlink()
    found = find_latest(checkpoints)
    assert found is not None and (found.path, found.step) == (paths[2], 2)
    reasons = {skipped.path: skipped.reason for skipped in found.skipped}
    assert reasons.keys() == {paths[3], paths[4]}
    assert "optimizer.safetensors`: tensor `momentum." in reasons[paths[4]]
    assert "has no manifest.json" in reasons[paths[3]]
    assert all(path.exists() for path in paths.values())


def test_newest_is_by_the_manifest_not_by_the_name(save_step: SaveStep, checkpoints: Path) -> None:
    save_step(20).rename(checkpoints / "step-00000001")
    save_step(3)
    found = find_latest(checkpoints)
    assert found is not None and found.step == 20 and found.path.name == "step-00000001"


def test_nothing_at_all_is_not_an_error_but_nothing_good_is(save_step: SaveStep, checkpoints: Path) -> None:
    assert find_latest(checkpoints) is None
    checkpoints.mkdir()
    (checkpoints / "notes.txt").write_text("hello")
    (checkpoints / "step-00000001.partial-1-0").mkdir()
    assert find_latest(checkpoints) is None
    for step in (1, 2):
        flip(save_step(step) / "config.json", 3)
    with pytest.raises(DamageError, match="none of its 2 checkpoints verifies") as error:
        find_latest(checkpoints)
    assert "step-00000002" in str(error.value) and "config.json" in str(error.value)


def test_a_destination_of_another_size_is_refused(save_step: SaveStep) -> None:
    reader = CheckpointReader(str(save_step(1)))
    with pytest.raises(CodexError, match="has 4095 bytes, expected 4096"):
        reader.read_into("model.safetensors", [("embed.weight", bytearray(4095))])
    with pytest.raises(BufferError, match="read-only"):
        reader.read_into("model.safetensors", [("embed.weight", bytes(4096))])
    with pytest.raises(MissingDataError, match="has no tensor `x`"):
        reader.read_into("model.safetensors", [("x", bytearray(1))])


def test_a_copy_of_a_checkpoint_verifies_anywhere(save_step: SaveStep, tmp_path: Path) -> None:
    copy = tmp_path / "export" / "best"
    shutil.copytree(save_step(6), copy)
    assert verify(copy).step == 6
