"""Filters leave out what they name, and count it by reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex import _core
from codex.config.rules import QUALITY
from codex.config.schema import Config, Data
from codex.data.filters import QUALITY_RULES, Filters
from codex.data.formats import Reading, plain_reading
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.errors import UsageError
from codex.records import read_records

Configure = Callable[..., Config]
PROSE = "The house stood on a hill, and nobody in the village knew who had built it.\nIt was old and grey.\n"


def reason(text: str, **keys: Any) -> str | None:
    defaults: dict[str, Any] = {
        "minimum_characters": 1,
        "maximum_characters": None,
        "minimum_words": 0,
        "languages": (),
        "quality": (),
    }
    return Filters(**{**defaults, **keys}).reason(text)


@pytest.mark.parametrize(
    ("keys", "kept", "dropped", "named"),
    [
        ({"minimum_characters": 5}, "12345", "1234", "too short: fewer than 5 characters"),
        ({"maximum_characters": 5}, "12345", "123456", "too long: more than 5 characters"),
        ({"minimum_words": 3}, "a b\nc", "a b", "too few words: fewer than 3"),
        (
            {"languages": ("de", "en")},
            PROSE,
            "La maison se trouvait sur une colline et personne ne le savait",
            "language fr",
        ),
        ({"languages": ("en",)}, PROSE, "123 456", "language unknown"),
        ({"quality": ("word_length",)}, "abc " * 9, "a b c d", "quality `word_length`"),
        ({"quality": ("word_length",)}, "abcdefghij " * 9, "abcdefghijk " * 9, "quality `word_length`"),
        ({"quality": ("symbols",)}, "# " + "word " * 9, "... " + "word " * 8, "quality `symbols`"),
        ({"quality": ("letters",)}, "a b c d 1", "a b c 1", "quality `letters`"),
        ({"quality": ("bullets",)}, "- a\n" * 9 + "b\n", "- a\n" * 10, "quality `bullets`"),
        (
            {"quality": ("ellipses",)},
            "a...\n" * 3 + "b\n" * 7,
            "a\u2026\n" * 4 + "b\n" * 6,
            "quality `ellipses`",
        ),
        ({"quality": ("repeated_lines",)}, PROSE + "x\n" * 2, PROSE + "x\n" * 4, "quality `repeated_lines`"),
        ({"quality": ("repeated_lines",)}, PROSE, PROSE * 2, "quality `repeated_lines`"),
    ],
)
def test_each_filter_drops_what_it_names(keys: dict[str, Any], kept: str, dropped: str, named: str) -> None:
    assert reason(kept, **keys) is None
    assert str(reason(dropped, **keys)).startswith(named)
    assert reason(dropped) is None


def test_rules_are_those_of_the_configuration() -> None:
    assert tuple(QUALITY_RULES) == QUALITY
    assert reason(PROSE, quality=QUALITY) is None


def test_what_is_dropped_is_counted_by_reason(tmp_path: Path, configure: Configure) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    for name, text in {
        "a": PROSE,
        "b": "short",
        "c": "Das ist ein deutscher Satz.\n" * 9,
        "d": "x # # # #",
    }.items():
        (folder / f"{name}.txt").write_text(text)
    config = configure(folder)
    keys = {"minimum_characters": 6, "languages": ("en",), "quality": ("symbols",)}
    config = config.model_copy(update={"data": config.data.model_copy(update=keys)})
    stage = prepare_until("records", config, place=Place(tmp_path / "cache"))["records"]
    assert [record.source.path for record in read_records(stage.folder / "records.ndjson")] == ["a.txt"]
    assert stage.manifest["dropped"] == {"language de": 1, "quality `symbols`": 1, "too short": 1}


def test_near_duplicates_are_dropped_but_the_one_with_the_smallest_id(
    tmp_path: Path, configure: Configure
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    for number in range(10):
        for member in range(3):
            words = [f"w{number}x{word}" for word in range(100)]
            words[50] = f"own{member}"
            (folder / f"{number}-{member}.txt").write_text(" ".join(words))
    config = configure(folder)
    dropping = config.model_copy(update={"data": config.data.model_copy(update={"near_duplicates": "drop"})})
    every = prepare_until("records", config, place=Place(tmp_path / "cache"))["records"]
    stage = prepare_until("records", dropping, place=Place(tmp_path / "cache"))["records"]
    kept = list(read_records(stage.folder / "records.ndjson"))
    assert sorted(record.source.path[0] for record in kept) == list("0123456789")
    smallest = {}
    for record in read_records(every.folder / "records.ndjson"):
        smallest.setdefault(record.source.path[0], record.id)
    assert {record.id for record in kept} == set(smallest.values())
    assert stage.manifest["dropped"] == {"near duplicate": 20}
    assert stage.manifest["counts"]["records"] == 10
    assert stage.manifest["counts"]["text_bytes"] == sum(len(record.text.encode()) for record in kept)
    assert len(stage.manifest["skipped"]) == 20


def test_a_language_without_a_model_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"`data.languages` names `xx`, which has no model"):
        Filters.of(Data(languages=("en", "xx")))


def test_the_fast_filters_say_what_the_slow_ones_say(tmp_path: Path) -> None:
    """Those of `UnitWriter` over texts of random words and signs, against `Filters.reason`."""
    chance = random.Random(8)
    words = [
        "a",
        "#",
        "...",
        "12",
        "- item",
        "* b",
        "word",
        "Häuser",
        "und…",
        "extraordinarily",
        "house\n",
        "\n",
        "日本",
    ]
    texts = [" ".join(chance.choices(words, k=chance.randrange(40))) for _ in range(600)]
    asked = [
        Filters(chance.randrange(1, 30), chance.choice([None, 150]), chance.choice([0, 5]), languages, rules)
        for languages in [(), ("en", "de")]
        for rules in [(), *((name,) for name in QUALITY_RULES), tuple(reversed(QUALITY_RULES))]
    ]
    raw = _core.RawFiles()
    for number in range(len(texts)):
        raw.append(f"{number:03}", "nowhere", (0, 0, 0, 0))
    for number, filters in enumerate(asked):
        parameters = filters.parameters()
        writer = _core.UnitWriter(raw, tmp_path, str(number), 1 << 20, plain_reading(Reading()), parameters)
        for place, text in enumerate(texts):
            writer.add(place, text, "utf-8", 0, None)
        found = {path: reason for path, reason, _ in writer.finish()[1]}
        slow = ((f"{place:03}", filters.reason(text)) for place, text in enumerate(texts))
        assert found == {path: reason for path, reason in slow if reason is not None}
