"""An unquoted word means what YAML 1.2's core schema says, in a file and on the command line alike."""

from __future__ import annotations

import math

import pytest

from codex.config.document import Scalar, parse_document, parse_scalar
from codex.config.faults import Fault
from codex.config.override import parse_override

WORDS: list[tuple[str, Scalar]] = [
    ("1e-4", 0.0001),
    ("1E5", 1e5),
    ("6.02e+23", 6.02e23),
    (".5", 0.5),
    ("5.", 5.0),
    ("-0.0", -0.0),
    ("+12", 12),
    ("-7", -7),
    ("0123", 123),
    ("0o17", 15),
    ("0x1F", 31),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("1e999", math.inf),
    ("9" * 5000, math.inf),
    ("true", True),
    ("True", True),
    ("FALSE", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("no", "no"),
    ("Yes", "Yes"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("tRUE", "tRUE"),
    ("nULL", "nULL"),
    ("1_000", "1_000"),
    ("12:30:45", "12:30:45"),
    ("2026-11-21", "2026-11-21"),
    ("0b11", "0b11"),
    ("1e", "1e"),
    ("e5", "e5"),
    (".", "."),
    ("-", "-"),
    ("inf", "inf"),
    ("nan", "nan"),
    ("-.nan", "-.nan"),
    ("0x", "0x"),
    ("=", "="),
    ("٣", "٣"),
]


@pytest.mark.parametrize(("word", "value"), WORDS, ids=[word[:12] or "nothing" for word, _ in WORDS])
def test_word_has_its_value_of_the_core_schema(word: str, value: Scalar) -> None:
    parsed = parse_scalar(word)
    assert (parsed, type(parsed)) == (value, type(value))


def test_not_a_number_is_a_number() -> None:
    assert all(math.isnan(float(parse_scalar(word) or 0)) for word in (".nan", ".NaN", ".NAN"))


@pytest.mark.parametrize("word", [word for word, _ in WORDS if word not in ("-", "=")])
def test_file_and_command_line_agree_on_a_word(word: str) -> None:
    faults: list[Fault] = []
    in_file = parse_document(f"key: {word}\n", "f.yaml", faults)
    typed = parse_override(f"key={word}", faults)
    assert in_file is not None and typed is not None and not faults
    assert in_file.value["key"].value == typed.value["key"].value  # type: ignore[index, union-attr, call-overload]


@pytest.mark.parametrize("text", ['"1"', "'true'", '"no"', '""', "|\n  12\n", ">-\n  null\n"])
def test_quoted_and_block_text_stays_text(text: str) -> None:
    node = parse_document(f"key: {text}", "f.yaml", [])
    assert node is not None and isinstance(node.value, dict)
    assert isinstance(node.value["key"].value, str)
