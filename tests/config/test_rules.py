"""What ties keys together is checked, and the error names each key and where it was written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from codex.config import Config
from codex.config.rules import RULES
from codex.config.schema import Data, Model, Run, Train

Block = Callable[..., str]

# What the cases below start from, whatever the defaults become.
START = [
    "model={width: 192, heads: 3, key_value_heads: 3, context: 256}",
    "evaluate.stride=128",
]

BROKEN = {
    "heads do not divide the width": (
        ["model.width=100"],
        "`model.width` is 100, expected a multiple of `model.heads`, which is 3 (command line)\n"
        "hint: use `model.width: 96` or `model.width: 102`",
    ),
    "odd head size": (
        ["model.width=9"],
        "`model.width` / `model.heads` is 9 / 3 = 3, expected an even number for RoPE (command line)\n"
        "hint: use `model.width: 6` or `model.width: 12`",
    ),
    "width below one head": (
        ["model.width=4"],
        "`model.width` is 4, expected a multiple of `model.heads`, which is 3 (command line)\n"
        "hint: use `model.width: 6`",
    ),
    "key-value heads do not divide the heads": (
        ["model.key_value_heads=2"],
        "`model.key_value_heads` is 2, expected a divisor of `model.heads`, which is 3 (command line)\n"
        "hint: one of 1, 3",
    ),
    "more key-value heads than heads": (
        ["model.key_value_heads=6"],
        "`model.key_value_heads` is 6, expected a divisor of `model.heads`, which is 3 (command line)\n"
        "hint: one of 1, 3",
    ),
    "corpus and paths": (
        ["data.paths=[a, b]"],
        "`data.corpus` is `python-stdlib` and `data.paths` lists 2, expected only one of them "
        "(command line)\n"
        "hint: `data.corpus=null` reads the paths, `data.paths=[]` reads the corpus",
    ),
    "neither corpus nor paths": (
        ["data.corpus=null"],
        "`data.corpus` is null and `data.paths` is an empty list, expected one of them (command line)\n"
        "hint: `data.corpus=python-stdlib` reads the library of this Python",
    ),
    "stride beyond the context": (
        ["evaluate.stride=257"],
        "`evaluate.stride` is 257, expected at most `model.context`, which is 256 (command line)\n"
        "hint: use `evaluate.stride: 128`",
    ),
    "QK-norm in a GPT-2": (
        ["model.name=gpt2"],
        "`model.qk_norm` is true, which a `gpt2` has not (command line)\nhint: use `model.qk_norm: false`",
    ),
    "grouped queries in a GPT-2": (
        ["model.name=gpt2", "model.qk_norm=false", "model.key_value_heads=1"],
        "`model.key_value_heads` is 1, expected `model.heads`, which is 3, in a `gpt2` (command line)\n"
        "hint: use `model.key_value_heads: 3`",
    ),
    "rotary positions in a GPT-2": (
        ["model.name=gpt2", "model.qk_norm=false", "model.rope_theta=5e5"],
        "`model.rope_theta` is 500000.0, which a `gpt2` has not: its positions are learned (command line)\n"
        "hint: leave `model.rope_theta` out",
    ),
    "an adapter learned by Muon": (
        ["adapt.lora=true"],
        "`adapt.lora` is true and `train.optimizer` is `muon`, expected `adamw` (command line)\n"
        "hint: use `train.optimizer: adamw`; `--config lora` has rates for it",
    ),
    "preferences without an adapter": (
        ["train.objective=preferences"],
        "`train.objective` is `preferences` and `adapt.lora` false, "
        "expected an adapter to hold against the model without it (command line)\n"
        "hint: use `adapt.lora: true`; `codex checkpoint merge` makes a whole model of it",
    ),
    "a z-loss of preferences": (
        ["train.objective=preferences", "adapt.lora=true", "train.optimizer=adamw", "train.z_loss=1e-4"],
        "`train.z_loss` is 0.0001, which `preferences` have not (command line)\nhint: use `train.z_loss: 0`",
    ),
    "nothing left to train on": (
        ["data.validation_fraction=0.5", "data.test_fraction=0.5"],
        "`data.validation_fraction` is 0.5 and `data.test_fraction` 0.5, which leave nothing to train on (command line)\n"
        "hint: together they must be below 1",
    ),
    "no rule of quality": (
        ["data.quality=[letters, nice]"],
        "`data.quality` names `nice`, which is no rule (command line)\n"
        "hint: the rules are word_length, symbols, letters, bullets, ellipses, repeated_lines",
    ),
    "near duplicates that are not looked for": (
        ["data.near_duplicates=drop", "data.near_duplicate_threshold=null"],
        "`data.near_duplicates` is `drop` and `data.near_duplicate_threshold` null, which finds none (command line)\n"
        "hint: set a threshold, such as 0.8",
    ),
    "run name that leaves the folder": (
        ["run.name=../x"],
        "`run.name` is '../x', expected the name of a folder (command line)\n"
        "hint: 1 to 100 printable characters without a slash, not starting with `.` or `-`",
    ),
    "path with a NUL": (
        [r'run.directory="a\0b"'],
        "`run.directory` or `data.paths` holds a NUL character, expected a path (command line)\n"
        "hint: remove the `\\0`",
    ),
}


@pytest.mark.parametrize(("overrides", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_rule_names_its_keys(block: Block, overrides: list[str], expected: str) -> None:
    assert block("run:\n", [*START, *overrides]) == expected


def test_every_rule_has_a_case_that_breaks_it() -> None:
    named = "\n".join(expected for _, expected in BROKEN.values())
    assert all(f"`{rule.keys[0]}`" in named for rule in RULES)


def test_broken_rule_shows_where_each_key_was_written(block: Block) -> None:
    answer = block("model:\n  heads: 5\n  key_value_heads: 5\n", ["model.width=192"])
    assert "which is 5 (command line, my.yaml:2:10)" in answer


def test_rule_is_judged_whatever_else_is_wrong(block: Block) -> None:
    answer = block("model:\n  width: 101\ntrain:\n  max_steps: many\nmodle: 1\n")
    assert answer.startswith("3 faults in the configuration")
    assert "`model.width` is 101, expected a multiple" in answer


def test_rule_about_a_faulty_key_is_not_judged(block: Block) -> None:
    assert block("model:\n  width: wide\n").count("model.width") == 1
    assert "heads" not in block("model: 5\n")


@pytest.mark.parametrize(
    "name", ["a/b", "a\\b", ".hidden", "-rf", "", " ", "a ", "a\nb", "x" * 101, "\x1b[31m"]
)
def test_run_name_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="expected the name of a folder"):
        Config(run=Run(name=name))


@pytest.mark.parametrize("name", ["base", "my run 2", "läuft-実験_1.5", "x" * 100, None])
def test_run_name_may_be_any_folder_name(name: str | None) -> None:
    assert Config(run=Run(name=name)).run.name == name


def test_rules_hold_for_configurations_made_in_python_too() -> None:
    with pytest.raises(ValidationError, match=r"expected less than `train\.max_steps`.*; .*|`model\.width`"):
        Config(model=Model(width=101), train=Train(max_steps=1))
    assert Config(data=Data(corpus=None, paths=("src",))).data.paths == ("src",)
