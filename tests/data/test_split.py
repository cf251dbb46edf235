"""Train, validation and test: a matter of content, never of position, and near duplicates stay together."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.config.schema import Config
from codex.data.prepare import prepare_until
from codex.data.split import SPLITS, side_by_id
from codex.data.store import Place
from codex.errors import ConfigError, DataError
from codex.records import NearDuplicates, Record, is_held_out, read_records, record_id

Configure = Callable[..., Config]
IDS = [record_id(str(number)) for number in range(20_000)]


def divided(config: Config, cache: Path) -> tuple[dict[str, list[Record]], dict[str, Any]]:
    """The records of every split, and the manifest."""
    stage = prepare_until("splits", config, place=Place(cache))["splits"]
    found = {side: stage.folder / f"{side}.ndjson" for side in SPLITS}
    return {side: list(read_records(p)) for side, p in found.items() if p.exists()}, dict(stage.manifest)


def side_of_paths(config: Config, cache: Path) -> dict[str, str]:
    splits, _ = divided(config, cache)
    return {record.source.path: side for side, records in splits.items() for record in records}


def changed(config: Config, **keys: Any) -> Config:
    return config.model_copy(update={"data": config.data.model_copy(update=keys)})


def essay(number: int, words: int = 120) -> list[str]:
    """Words that only this number has."""
    return [f"w{number}x{word}" for word in range(words)]


@pytest.fixture
def families(tmp_path: Path) -> Path:
    """60 texts, each with two that differ from it in one word."""
    folder = tmp_path / "families"
    folder.mkdir()
    for number in range(60):
        for member in range(3):
            words = essay(number)
            words[10 + 40 * member] = f"another{member}"
            (folder / f"{number:02}-{member}.txt").write_text(" ".join(words))
    return folder


def test_each_record_is_on_one_side_in_the_order_of_ids(config: Config, tmp_path: Path) -> None:
    splits, manifest = divided(changed(config, test_fraction=0.2), tmp_path)
    records = prepare_until("records", config, place=Place(tmp_path))["records"].folder / "records.ndjson"
    ids = {side: [record.id for record in found] for side, found in splits.items()}
    assert list(ids) == list(SPLITS)
    assert sorted(chain(*ids.values())) == [record.id for record in read_records(records)]
    for side, found in ids.items():
        assert found == sorted(found)
        assert {side_by_id(identity, manifest["parameters"]) for identity in found} == {side}
        assert manifest["counts"][f"{side}_records"] == len(found)
        assert manifest["counts"][f"{side}_text_bytes"] == sum(len(r.text.encode()) for r in splits[side])


def test_without_a_test_fraction_there_is_no_test(config: Config, tmp_path: Path) -> None:
    splits, manifest = divided(config, tmp_path)
    assert list(splits) == ["train", "validation"]
    assert [entry["path"] for entry in manifest["files"] if "ndjson" in entry["path"]] == [
        "train.ndjson",
        "validation.ndjson",
    ]
    assert all(entry["digest"].startswith("sha256:") for entry in manifest["files"])


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5])
def test_fraction_is_met(fraction: float) -> None:
    found = sum(is_held_out(identity, fraction) for identity in IDS) / len(IDS)
    assert abs(found - fraction) < 4 * (fraction * (1 - fraction) / len(IDS)) ** 0.5


def test_side_does_not_follow_the_order_of_ids() -> None:
    ids = sorted(IDS)
    halves = [sum(is_held_out(identity, 0.1) for identity in half) for half in (ids[:10_000], ids[10_000:])]
    assert abs(halves[0] - halves[1]) < 4 * (2 * 10_000 * 0.1 * 0.9) ** 0.5


@given(st.binary(min_size=16, max_size=16), st.floats(0, 1), st.floats(0, 1))
def test_larger_fraction_only_adds_to_held_out(identity: bytes, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert is_held_out(identity.hex(), large) or not is_held_out(identity.hex(), small)


def test_sides_never_change_between_versions() -> None:
    # Text that a model of yesterday was not trained on must stay held out today.
    assert [place for place in range(12) if is_held_out(IDS[place], 0.5)] == [1, 4, 5, 8, 9]


def test_larger_validation_takes_from_train_alone() -> None:
    for identity in IDS[:2000]:
        small = side_by_id(identity, {"validation_fraction": 0.1, "test_fraction": 0.2})
        large = side_by_id(identity, {"validation_fraction": 0.4, "test_fraction": 0.2})
        assert large == small or (small, large) == ("train", "validation")


def test_near_duplicates_are_on_one_side(families: Path, configure: Configure, tmp_path: Path) -> None:
    config = changed(configure(families), test_fraction=0.1)
    sides = side_of_paths(config, tmp_path / "together")
    assert len(sides) == 180
    for number in range(60):
        assert len({sides[f"{number:02}-{member}.txt"] for member in range(3)}) == 1
    _, manifest = divided(config, tmp_path / "together")
    assert (manifest["counts"]["near_duplicate_groups"], manifest["counts"]["near_duplicates"]) == (60, 180)
    assert manifest["overlap"]["validation"]["shared_with_train"] == 0
    apart = side_of_paths(changed(config, near_duplicate_threshold=None), tmp_path / "apart")
    crossing = [number for number in range(60) if len({apart[f"{number:02}-{m}.txt"] for m in range(3)}) > 1]
    assert len(crossing) > 20
    _, manifest = divided(changed(config, near_duplicate_threshold=None), tmp_path / "apart")
    assert manifest["overlap"]["validation"]["shared_with_train"] > 0


def test_no_near_duplicate_in_the_standard_library_crosses(tmp_path: Path) -> None:
    splits, manifest = divided(Config(), tmp_path)
    records = [(side, record) for side, found in splits.items() for record in found]
    near = NearDuplicates(0.8)
    near.add_many([record.text for _, record in records])
    groups = near.groups()
    assert any(len(group) > 3 for group in groups), "the code pages in `encodings` are nearly the same"
    for group in groups:
        assert len({records[number][0] for number in group}) == 1
    together = sum(len(group) for group in groups)
    assert manifest["counts"]["near_duplicate_groups"] == len(groups)
    assert manifest["counts"]["near_duplicates"] == together
    assert 0.05 < len(splits["validation"]) / len(records) < 0.2


def test_new_documents_move_no_old_one(config: Config, corpus: Path, tmp_path: Path) -> None:
    before = side_of_paths(config, tmp_path / "before")
    for number in range(30):
        (corpus / f"zz new {number}").write_text(f"something new, number {number}\n")
    after = side_of_paths(config, tmp_path / "after")
    assert before.items() <= after.items()


def test_new_near_duplicates_bring_nothing_back_to_train(
    families: Path, configure: Configure, tmp_path: Path
) -> None:
    config = changed(configure(families), test_fraction=0.1)
    before = side_of_paths(config, tmp_path / "before")
    for number in range(60):
        words = essay(number)
        words[5] = "once more"
        (families / f"{number:02}-3.txt").write_text(" ".join(words))
    after = side_of_paths(config, tmp_path / "after")
    moved = {path for path, side in before.items() if after[path] != side}
    assert all(SPLITS.index(after[path]) > SPLITS.index(before[path]) for path in moved)
    assert 0 < len(moved) < 40


def test_splits_do_not_depend_on_names_and_order(
    families: Path, configure: Configure, tmp_path: Path
) -> None:
    before, _ = divided(configure(families), tmp_path / "before")
    names = sorted(path.name for path in families.iterdir())
    for name in names:
        (families / name).rename(families / f"{random.Random(name).random()} {name}")
    after, _ = divided(configure(families), tmp_path / "after")
    assert {side: [r.id for r in found] for side, found in after.items()} == {
        side: [r.id for r in found] for side, found in before.items()
    }


@pytest.mark.parametrize(("fraction", "side"), [(1e-9, "validation"), (1 - 1e-9, "train")])
def test_side_without_records_is_an_error(
    corpus: Path, configure: Configure, tmp_path: Path, fraction: float, side: str
) -> None:
    with pytest.raises(DataError, match=rf"none of the 25 records falls into split `{side}`") as caught:
        divided(configure(corpus, validation_fraction=fraction), tmp_path)
    assert caught.value.hint


def test_fractions_leave_something_to_train() -> None:
    with pytest.raises((ConfigError, ValueError), match="leave nothing to train on"):
        Config.model_validate({"data": {"validation_fraction": 0.5, "test_fraction": 0.5}})
