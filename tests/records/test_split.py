"""What is held out is a pure function of the id."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError, UsageError
from codex.records import is_held_out, record_id

FRACTIONS = st.floats(0, 1)


@given(text=st.text(st.characters(exclude_categories=["Cs"])), fraction=FRACTIONS, larger=FRACTIONS)
def test_the_side_is_what_the_page_says(text: str, fraction: float, larger: float) -> None:
    id = record_id(text)
    value = int.from_bytes(hashlib.sha256(bytes.fromhex(id)).digest()[:8], "big")
    assert is_held_out(id, fraction) == (value < int(Fraction(fraction) * 2**64))
    if larger >= fraction:
        assert is_held_out(id, larger) >= is_held_out(id, fraction)


def test_none_and_all() -> None:
    ids = [record_id(str(number)) for number in range(1000)]
    assert not any(is_held_out(id, 0) for id in ids) and all(is_held_out(id, 1) for id in ids)
    assert 60 < sum(is_held_out(id, 0.1) for id in ids) < 140


@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan")])
def test_a_fraction_is_from_none_to_all(fraction: float) -> None:
    with pytest.raises(UsageError, match=r"^the held-out fraction is .*, expected 0 to 1$"):
        is_held_out(record_id(""), fraction)


@pytest.mark.parametrize("id", ["", "abc", "E3B0C44298FC1C149AFBF4C8996FB924", "g" * 32, "é" * 16])
def test_an_id_is_32_hex_digits(id: str) -> None:
    with pytest.raises(DataError, match=r"is no id, expected 32 lower-case hex digits$"):
        is_held_out(id, 0.5)
