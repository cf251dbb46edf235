"""Every key of the schema: a slip in its name finds it again, a wrong value is refused where it stands."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codex.config.dump import dump_value
from codex.config.keys import Leaf, leaves, nearest_keys, sections

Block = Callable[..., str]

LEAVES = list(leaves().values())


def one_edit_slips(word: str) -> Iterator[str]:
    """What one slip of the finger makes of a word: a letter lost, doubled, wrong, or two swapped."""
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        yield word[: at + 1] + word[at:]
        yield word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
        wrong = string.ascii_lowercase[(string.ascii_lowercase.find(word[at]) + 7) % 26]
        yield word[:at] + wrong + word[at + 1 :]


def test_slip_in_a_key_suggests_that_key_first() -> None:
    tried, right = 0, 0
    for leaf in LEAVES:
        for slip in {slip for slip in one_edit_slips(leaf.name) if slip} - {other.name for other in LEAVES}:
            tried += 1
            right += nearest_keys(f"{leaf.section}.{slip}")[:1] == [leaf.key]
    assert tried > 1000
    assert right / tried >= 0.99, f"{right} of {tried}"


def test_slip_in_a_section_suggests_that_section_first() -> None:
    slips = [(slip, section) for section in sections() for slip in one_edit_slips(section) if slip != section]
    right = sum(nearest_keys(slip, below=["x"])[:1] == [section] for slip, section in slips)
    assert right / len(slips) >= 0.95, f"{right} of {len(slips)}"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_key_under_another_section_finds_its_own(leaf: Leaf) -> None:
    names = [other.name for other in LEAVES]
    for section in sections():
        if f"{section}.{leaf.name}" not in leaves():
            found = nearest_keys(f"{section}.{leaf.name}")
            assert found[0] == leaf.key or (names.count(leaf.name) > 1 and leaf.key in found)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_key_without_its_section_finds_it(leaf: Leaf) -> None:
    assert leaf.key in nearest_keys(leaf.name)


def test_section_is_found_by_what_stands_below_it() -> None:
    assert nearest_keys("optimization", below=["learning_rate", "weight_decay"]) == ["train"]
    assert nearest_keys("zzz", below=["qqq"]) == []


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_slip_in_a_file_is_refused_where_it_stands(block: Block, leaf: Leaf) -> None:
    slip = leaf.name[:-1] if leaf.name not in ("top_k", "top_p") else f"{leaf.name}s"
    answer = block(f"# a comment\n{leaf.section}:\n   {slip}: {dump_value(leaf.default)}\n")
    assert answer.startswith(
        f"unknown key `{leaf.section}.{slip}` (my.yaml:3:4)\nhint: did you mean `{leaf.key}`"
    )


def wrong_value(leaf: Leaf) -> tuple[str, str]:
    """A value of a type that the leaf does not take, and how the error calls it."""
    takes = {leaf.schema.get("type"), *(choice["type"] for choice in leaf.schema.get("anyOf", ()))}
    return ("word", "the text `word`") if takes & {"integer", "number", "boolean", "array"} else ("7", "7")


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
def test_wrong_type_is_refused_where_it_stands(block: Block, leaf: Leaf) -> None:
    written, called = wrong_value(leaf)
    first_line = block(f"{leaf.section}:\n  {leaf.name}:   {written}\n").splitlines()[0]
    place = f"(my.yaml:2:{len(leaf.name) + 7})"
    assert first_line == f"`{leaf.key}` is {called}, expected {leaf.wanted} {place}"


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.key)
@pytest.mark.parametrize("written", ["{a: 1}", "[[1]]"])
def test_list_or_section_for_a_value_is_refused(block: Block, leaf: Leaf, written: str) -> None:
    first_line = block(f"{leaf.section}: {{{leaf.name}: {written}}}\n").splitlines()[0]
    assert first_line.startswith(f"`{leaf.key}") and "expected" in first_line and "(my.yaml:1:" in first_line


@pytest.mark.parametrize("section", list(sections()))
@pytest.mark.parametrize(("written", "called"), [("5", "5"), ("word", "the text `word`"), ("[]", "a list")])
def test_value_for_a_section_is_refused(block: Block, section: str, written: str, called: str) -> None:
    place = f"(my.yaml:1:{len(section) + 3})"
    assert block(f"{section}: {written}\n").startswith(f"`{section}` is {called}, expected a section {place}")


def numbers() -> Iterator[tuple[str, Any]]:
    """Every bound of every number, with a value just beyond it."""
    for leaf in LEAVES:
        for schema in (leaf.schema, *leaf.schema.get("anyOf", ())):
            step = 1 if schema.get("type") == "integer" else 1e-9
            for name, sign in (("minimum", -1), ("maximum", 1)):
                if name in schema:
                    yield leaf.key, schema[name] + sign * max(step, step * abs(schema[name]) * (step < 1))
            for name in ("exclusiveMinimum", "exclusiveMaximum"):
                if name in schema:
                    yield leaf.key, schema[name]


@pytest.mark.parametrize(("key", "value"), list(numbers()))
def test_number_out_of_range_is_refused_with_the_range(block: Block, key: str, value: Any) -> None:
    section, name = key.split(".")
    wanted = leaves()[key].wanted
    assert f"`{key}` is {value}, expected {wanted}" in block(f"{section}: {{{name}: {value!r}}}\n")


def test_every_number_has_a_range() -> None:
    for leaf in LEAVES:
        for schema in (leaf.schema, *leaf.schema.get("anyOf", ())):
            if schema.get("type") in ("integer", "number"):
                assert {"minimum", "exclusiveMinimum"} & set(schema), leaf.key
                assert {"maximum", "exclusiveMaximum"} & set(schema), leaf.key


@pytest.mark.parametrize("written", [".nan", ".inf", "-.inf", "1e999"])
@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if "number" in str(leaf.schema)], ids=lambda leaf: leaf.key
)
def test_what_is_not_finite_is_refused(block: Block, leaf: Leaf, written: str) -> None:
    assert f"`{leaf.key}` is " in block(f"{leaf.section}: {{{leaf.name}: {written}}}\n")


HINTS = [
    ("train.max_steps", "1e3", "use `1000`"),
    ("train.max_steps", '"100"', "remove the quotes"),
    ("train.max_steps", "1_000", "use `1000`"),
    ("train.max_steps", "1.5", None),
    ("train.learning_rate", "'1e-4'", "remove the quotes"),
    ("model.tie_embeddings", "yes", "use `true`"),
    ("model.tie_embeddings", "Off", "use `false`"),
    ("model.tie_embeddings", "'true'", "remove the quotes"),
    ("train.optimizer", "adam", "did you mean `adamw`?"),
    ("train.optimizer", "Muon", "did you mean `muon`?"),
    ("train.optimizer", "sgd", None),
    ("train.precision", "bfloat16", "did you mean `bf16`?"),
    ("data.paths", "src", "put it in a list, `[src]`"),
    ("run.name", "7", "put it in quotes to make it text"),
    ("train.max_steps", "null", None),
]


@pytest.mark.parametrize(("key", "written", "hint"), HINTS)
def test_wrong_value_has_the_hint_that_mends_it(
    block: Block, key: str, written: str, hint: str | None
) -> None:
    section, name = key.split(".")
    answer = block(f"{section}:\n  {name}: {written}\n")
    assert answer.split("\nhint: ")[1:] == ([] if hint is None else [hint])


def test_item_of_a_list_is_named_by_its_number(block: Block) -> None:
    answer = block("data:\n  corpus: null\n  paths: [a, 5, '']\n")
    assert "`data.paths[1]` is 5, expected text that is not empty (my.yaml:3:14)" in answer
    assert "`data.paths[2]` is empty text, expected text that is not empty (my.yaml:3:17)" in answer
