"""A configuration written as YAML reads back as the same configuration, to the digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.config import Config, dump_yaml, load
from codex.config.document import parse_document
from codex.config.dump import dump_value
from codex.config.faults import Fault
from codex.config.keys import leaves, sections
from codex.config.schema import Data, Generate, Run, Train

Write = Callable[..., Path]

CONFIGS = {
    "defaults": Config(),
    "nulls and lists": Config(
        data=Data(
            corpus=None, paths=("a b", "no", "7", "[x]", "{", "- x", "#", "a: b", "~", "'q'", '"', "C:\\x")
        ),
        train=Train(gradient_clip=None, threads=3),
    ),
    "numbers": Config(run=Run(seed=2**53 - 1), train=Train(learning_rate=1e-7, weight_decay=0.1 + 0.2)),
    "hard text": Config(generate=Generate(prompt="\tdef\r\n  é\u2028\x85\x00\x1b\ufeff𝄞: #\\\"' ")),
}


@pytest.mark.parametrize("comments", [False, True], ids=["bare", "with comments"])
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_dump_reads_back_to_the_same_digest(write: Write, config: Config, comments: bool) -> None:
    again = load(write(my=dump_yaml(config, comments=comments))).config
    assert (again, again.digest) == (config, config.digest)


@given(st.text())
def test_any_text_is_read_back(text: str) -> None:
    node = parse_document(f"key: {dump_value(text)}\n", "f.yaml", [])
    assert node is not None and isinstance(node.value, dict)
    assert node.value["key"].value == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.booleans() | st.none())
def test_any_plain_value_is_read_back_with_its_type(value: float | None) -> None:
    node = parse_document(f"key: [{dump_value(value)}]\n", "f.yaml", [])
    assert node is not None and isinstance(node.value, dict) and isinstance(node.value["key"].value, list)
    (item,) = node.value["key"].value
    assert (item.value, type(item.value)) == (value, type(value))


@given(
    st.text(alphabet=st.sampled_from("ab:-?[]{},&*!|>'\"%@`#\\ \t\n\r~0.\x00\x85\u2028\ud800é"), max_size=40)
)
def test_any_text_gives_a_tree_or_a_fault_in_its_place(text: str) -> None:
    faults: list[Fault] = []
    node = parse_document(text, "f.yaml", faults)
    lines = 2 + sum(text.count(newline) for newline in "\n\r\x85\u2028")
    assert all(1 <= fault.origin.line <= lines and 1 <= fault.origin.column <= 42 for fault in faults)
    assert node is not None or faults or not text.replace("-", " ").replace(".", " ").split("#")[0].strip()


def test_comments_hold_every_sentence() -> None:
    text = " ".join(dump_yaml(Config(), comments=True).replace("#", " ").split())
    for sentence in [*sections().values(), *(leaf.sentence for leaf in leaves().values())]:
        assert " ".join(sentence.split()) in text


def test_digest_changes_with_every_key() -> None:
    other = {"integer": 3, "number": 0.5, "boolean": None, "string": "other", "array": ["other"]}
    digests = {Config().digest}
    for leaf in leaves().values():
        kinds = [leaf.schema.get("type"), *(choice["type"] for choice in leaf.schema.get("anyOf", ()))]
        kind = next(kind for kind in kinds if kind is not None)
        value = other[kind] if kind != "boolean" else not leaf.default
        if leaf.choices:
            value = next(choice for choice in leaf.choices if choice != leaf.default)
        if value == leaf.default:
            value = 5
        section = getattr(Config(), leaf.section).model_copy(
            update={leaf.name: tuple(value) if isinstance(value, list) else value}
        )
        digests.add(Config().model_copy(update={leaf.section: section}).digest)
    assert len(digests) == len(leaves()) + 1


def test_digest_is_over_canonical_json() -> None:
    values = Config().model_dump(mode="json")
    for section in values.values():
        for name, value in section.items():
            if isinstance(value, float) and value.is_integer():
                section[name] = int(value)
    text = json.dumps(values, sort_keys=True, separators=(",", ":")).replace("1e-06", "0.000001")
    assert Config().digest == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_digest_does_not_depend_on_how_it_was_written(write: Write) -> None:
    one = load(write(one="train: {learning_rate: 1e-2, weight_decay: 1}\n")).config
    two = load(write(two="train:\n  weight_decay: 1.0\n  learning_rate: 0.010\nmodel: {}\n")).config
    assert one.digest == two.digest
