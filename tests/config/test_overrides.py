"""The command line wins, by the same rules of writing as a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codex.config import load

Block = Callable[..., str]


@pytest.mark.parametrize("prefix", ["", "--", "+"])
def test_every_spelling_sets_the_key(prefix: str) -> None:
    loaded = load("base", [f"{prefix}train.max_steps=50"])
    assert loaded.config.train.max_steps == 50
    assert str(loaded.origins["train.max_steps"]) == "command line"


VALUES: list[tuple[str, Any]] = [
    ("train.learning_rate=1e-4", 1e-4),
    ("train.learning_rate=1", 1.0),
    ("train.deterministic=false", False),
    ("train.gradient_clip=null", None),
    ("train.threads=", None),
    ("run.name=no", "no"),
    ("run.name=a=b", "a=b"),
    ('run.name="7"', "7"),
    ("run.name='it''s'", "it's"),
    ("generate.prompt=def f(x): # all of it", "def f(x): # all of it"),
    ('generate.prompt=""', ""),
    (r'generate.prompt="\n\té"', "\n\té"),
    ("data.include=[]", ()),
    ("data.include=[a.py, 'b c/*.py', \"12\"]", ("a.py", "b c/*.py", "12")),
]


@pytest.mark.parametrize(("override", "value"), VALUES, ids=[override for override, _ in VALUES])
def test_value_is_read_as_yaml(override: str, value: Any) -> None:
    found = load("base", [override]).config.value(override.split("=")[0])
    assert (found, type(found)) == (value, type(value))


def test_later_override_wins() -> None:
    overrides = ["train.max_steps=50", "train.max_steps=60", "train={warmup_steps: 7}"]
    train = load("base", overrides).config.train
    assert (train.max_steps, train.warmup_steps) == (60, 7)


def test_mapping_is_laid_over_a_section() -> None:
    before = load("base").config.train
    after = load("base", ["train={max_steps: 50, warmup_steps: 3}"]).config.train
    assert after == before.model_copy(update={"max_steps": 50, "warmup_steps": 3})


BAD = {
    "train=5": "`train` is a section, expected a key in it (command line)\n"
    "hint: name one of its keys, such as `train.max_steps=5`",
    "train=null": "`train` is a section, expected a key in it (command line)\n"
    "hint: name one of its keys, such as `train.max_steps=null`",
    "train.max_steps": "`train.max_steps` is not an override, expected `key=value` (command line)\n"
    "hint: did you mean `train.max_steps=VALUE`?",
    "=5": "`=5` is not an override, expected `key=value` (command line)",
    "train..max_steps=5": "`train..max_steps=5` is not an override, expected `key=value` (command line)\n"
    "hint: did you mean `train.max_steps=VALUE`?",
    "train.max_step=5": "unknown key `train.max_step` (command line)\nhint: did you mean `train.max_steps`?",
    "max_steps=5": "unknown key `max_steps` (command line)\nhint: did you mean `train.max_steps`?",
    "trian.max_steps=5": "unknown key `trian` (command line)\nhint: did you mean `train`?",
    "train.max_steps=no": "`train.max_steps` is the text `no`, "
    "expected a whole number from 1 to 1000000000 (command line)",
    "train.max_steps.x=1": "`train.max_steps` is a section, "
    "expected a whole number from 1 to 1000000000 (command line)",
    "data.include=[a": "not YAML: a list that is not closed, expected `,` or `]` "
    "(command line, data.include:1:3)",
    "data.include=[a, b]x": "not YAML: something follows a complete value (command line, data.include:1:7)\n"
    "hint: quote the whole value",
    "generate.prompt=\udce9": "the value of `generate.prompt` is not UTF-8 (command line)",
    'generate.prompt="\\ud800"': "half a surrogate pair, expected text (command line, generate.prompt:1:1)\n"
    "hint: write the character itself",
    "include=base": "unknown key `include` (command line)\nhint: did you mean `data.include`?",
}


@pytest.mark.parametrize("override", BAD, ids=[ascii(override) for override in BAD])
def test_bad_override_is_refused(block: Block, override: str) -> None:
    assert block("run:\n", [override]) == BAD[override]
