"""Train and held-out: a matter of content, never of position."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.config.schema import Config
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.errors import DataError
from codex.records import is_held_out, read_records, record_id

Configure = Callable[..., Config]
IDS = [record_id(str(number)) for number in range(20_000)]


def sides(config: Config, cache: Path) -> tuple[list[str], list[str]]:
    folder = prepare_until("splits", config, place=Place(cache))["splits"].folder
    train, held_out = (
        [r.id for r in read_records(folder / f"{side}.ndjson")] for side in ("train", "held_out")
    )
    return train, held_out


def test_each_record_is_on_one_side_in_the_order_of_ids(config: Config, tmp_path: Path) -> None:
    train, held_out = sides(config, tmp_path)
    records = prepare_until("records", config, place=Place(tmp_path))["records"].folder / "records.ndjson"
    assert sorted(train + held_out) == [record.id for record in read_records(records)]
    assert train == sorted(train) and held_out == sorted(held_out)
    assert all(is_held_out(identity, 0.25) for identity in held_out)
    assert not any(is_held_out(identity, 0.25) for identity in train)


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


def test_new_documents_move_no_old_one(config: Config, corpus: Path, tmp_path: Path) -> None:
    train, held_out = sides(config, tmp_path / "before")
    for number in range(30):
        (corpus / f"00 new {number}").write_text(f"something new, number {number}\n")
    train_after, held_out_after = sides(config, tmp_path / "after")
    assert set(train) <= set(train_after)
    assert set(held_out) <= set(held_out_after)


@pytest.mark.parametrize(("fraction", "side"), [(1e-9, "held_out"), (1 - 1e-9, "train")])
def test_side_without_records_is_an_error(
    corpus: Path, configure: Configure, tmp_path: Path, fraction: float, side: str
) -> None:
    with pytest.raises(DataError, match=rf"none of the 25 records falls into split `{side}`") as caught:
        sides(configure(corpus, held_out_fraction=fraction), tmp_path)
    assert caught.value.hint
