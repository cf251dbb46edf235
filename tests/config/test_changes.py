"""What a run may be given anew: nothing that would have changed its past, unless asked, and never what would not fit."""

from __future__ import annotations

import pytest

from codex.config import Config, load
from codex.config.changes import differing_keys, refuse_changes
from codex.config.keys import leaves
from codex.errors import ConfigError

FREE = {"run.name": "other", "train.max_steps": 7, "checkpoint.asynchronous": "true", "evaluate.stride": 64}
ON_REQUEST = {"train.learning_rate": 0.5, "run.seed": 9, "model.dropout": 0.5, "train.threads": 2}
FIXED = {
    "model.width": 384,
    "model.layers": 9,
    "model.context": 640,
    "tokens.tokenizer": "my/tokenizer.json",
    "tokens.vocabulary_size": 300,
    "train.optimizer": "adamw",
    "train.accumulate_steps": 3,
}


def _with(changes: dict[str, object]) -> Config:
    return load("base", [f"{key}={value}" for key, value in changes.items()]).config


def _refusal(changes: dict[str, object], *, allowed: bool) -> ConfigError | None:
    try:
        refuse_changes(differing_keys(_with({}), _with(changes)), "run `runs/x`", allowed=allowed)
    except ConfigError as error:
        return error
    return None


@pytest.mark.parametrize("allowed", [False, True])
def test_what_changes_no_step_is_free(allowed: bool) -> None:
    assert _refusal(dict(FREE), allowed=allowed) is None


@pytest.mark.parametrize("key", ON_REQUEST)
def test_what_changes_the_steps_to_come_must_be_asked_for(key: str) -> None:
    refusal = _refusal({key: ON_REQUEST[key]}, allowed=False)
    assert (
        refusal is not None and f"`{key}` was " in str(refusal) and "--allow-changes" in (refusal.hint or "")
    )
    assert _refusal({key: ON_REQUEST[key]}, allowed=True) is None


@pytest.mark.parametrize("key", FIXED)
def test_what_would_not_fit_is_refused_however_asked(key: str) -> None:
    for allowed in (False, True):
        refusal = _refusal({key: FIXED[key]}, allowed=allowed)
        assert refusal is not None and f"`{key}` was " in str(refusal) and "cannot change" in str(refusal)
        assert "--allow-changes" not in (refusal.hint or ""), "a way that does not lead there is no hint"


def test_the_same_rows_may_be_cut_otherwise() -> None:
    before = _with({"train.micro_batch_size": 8, "train.accumulate_steps": 1})
    now = _with({"train.micro_batch_size": 2, "train.accumulate_steps": 4})
    refuse_changes(differing_keys(before, now), "run", allowed=True)


def test_the_difference_is_one_line_a_key_in_the_order_of_the_schema() -> None:
    before = _with({})
    changes = {"train.learning_rate": 0.5, "model.width": 384, "train.max_steps": 7, "data.exclude": "[a, b]"}
    refusal = _refusal(changes, allowed=False)
    assert str(refusal).splitlines() == [
        "run `runs/x` began with another configuration",
        "  `data.exclude` was [], is [a, b]",
        f"  `model.width` was {before.model.width}, is 384 (it cannot change: the weights would not fit)",
        f"  `train.learning_rate` was {before.train.learning_rate}, is 0.5",
    ]


def test_every_key_is_compared() -> None:
    config = _with({})
    assert differing_keys(config, config) == []
    assert {key.partition(".")[0] for key in leaves()} == set(Config.model_fields)
    everything = {**FREE, **ON_REQUEST, **FIXED}
    found = {change.key for change in differing_keys(config, _with(everything))}
    assert found == set(everything)
