# ruff: noqa: RUF001
"""The answer is one of those allowed; names that contradict each other are refused."""

from __future__ import annotations

import pytest

from codex.errors import UsageError
from codex.text import Detector, detect, to_text

FRENCH = "Déjà vu : où êtes-vous allés cet été ?\n"


def test_only_what_is_included_is_the_answer() -> None:
    data = FRENCH.encode("cp1252")
    assert detect(data).encoding == "cp1252"
    assert detect(data, include=["latin-1", "koi8-r"]).encoding == "iso8859-1"
    assert detect(data, exclude=["windows-1252"]).encoding not in (None, "cp1252")
    assert detect(FRENCH.encode(), include=["UTF8"]).encoding == "utf-8"
    assert detect(b"plain", include=["utf-8", "cp1252"]).encoding == "utf-8"
    assert detect(b"plain", include=["cp1252"]).encoding == "cp1252"
    assert detect("日本語".encode("shift_jis") * 9, include=["shift_jis"]).encoding == "cp932"


def test_a_hint_decides_only_what_the_bytes_leave_open() -> None:
    data = FRENCH.encode("latin-1")
    assert detect(data, hint="iso-8859-15").encoding == "iso8859-15"
    assert detect(data, hint="koi8-r").encoding == "cp1252"
    assert detect(FRENCH.encode(), hint="latin-1").encoding == "utf-8"


def test_pieces_are_answered_within_the_same_limits() -> None:
    detector = Detector(include=["latin-1", "koi8-r"])
    for byte in FRENCH.encode("latin-1"):
        detector.feed(bytes([byte]))
    assert detector.close() == detect(FRENCH.encode("latin-1"), include=["latin-1", "koi8-r"])


@pytest.mark.parametrize(
    ("include", "exclude", "hint", "message"),
    [
        (["klingon"], [], None, "`klingon` is no encoding of text"),
        ([], ["rot13"], None, "`rot13` is no encoding of text"),
        ([], [], "hex", "`hex` is no encoding of text"),
        (["latin-1"], ["l1"], None, "`include` and `exclude` leave no encoding"),
        (["latin-1"], [], "cp1252", "the hint `cp1252` is not among"),
        ([], ["cp1252"], "cp1252", "the hint `cp1252` is not among"),
    ],
)
def test_names_that_say_nothing_or_contradict_are_refused(
    include: list[str], exclude: list[str], hint: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        detect(b"", include=include, exclude=exclude, hint=hint)


def test_what_was_encoded_twice_is_undone_only_where_it_is_certain() -> None:
    once = FRENCH + "naïve ‘curly’ €\n"
    twice = once.encode().decode("cp1252")
    mixed = (twice + FRENCH).encode()
    text = to_text(mixed, fix_mojibake=True)
    assert (text.text, text.undone) == (once + FRENCH, (0, 1))
    assert to_text(mixed).text == twice + FRENCH
    thrice = once.encode().decode("cp1252").encode().decode("cp1252")
    assert to_text(thrice.encode(), fix_mojibake=True).text == once
    for kept in (FRENCH, "Ça coûte 5 €\n", "Ã is a letter of Portuguese: São\n", "Привет\n", "©®\n"):
        assert to_text(kept.encode(), fix_mojibake=True).text == kept
