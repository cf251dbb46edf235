"""What differs between the configuration a run began with and the one it is to go on with, and which of it may.

A key is of one of three kinds. *Free*: the steps already done would have been the same. *On request*: the steps to come
would not follow from those already done, which only a person can want. *Fixed*: what is saved would not fit, or the text
already read would be read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from codex.config.dump import dump_value
from codex.config.keys import leaves
from codex.config.schema import Config
from codex.errors import ConfigError

__all__ = ["Change", "differing_keys", "refuse_changes"]

_FREE = (
    "run.name",
    "run.directory",
    "train.max_steps",
    "train.patience",
    "train.log_every_steps",
    "checkpoint.",
    "track.",
    "evaluate.",
    "generate.",
)
_FIXED = {
    "model.pretrained": "the steps done began with other weights",
    "model.": "the weights would not fit",
    "adapt.": "the adapter would be another",
    "tokens.": "the tokens would mean something else",
    "train.objective": "the steps done were of another",
    "train.optimizer": "its state would not fit",
}
_ON_REQUEST = ("model.dropout", "adapt.dropout")
_ROWS_OF_A_STEP = ("train.micro_batch_size", "train.accumulate_steps")


@dataclass(frozen=True, slots=True)
class Change:
    """One key with another value than before.

    >>> print(Change("train.learning_rate", 0.02, 0.01, None))
    `train.learning_rate` was 0.02, is 0.01
    """

    key: str
    was: Any
    now: Any
    fixed_because: str | None
    """Why it cannot change, or None."""

    @property
    def is_free(self) -> bool:
        """Whether the steps already done would have been the same."""
        return self.key.startswith(_FREE)

    def __str__(self) -> str:
        why = f" (it cannot change: {self.fixed_because})" if self.fixed_because else ""
        return f"`{self.key}` was {dump_value(self.was)}, is {dump_value(self.now)}{why}"


def differing_keys(before: Config, now: Config) -> list[Change]:
    """Every key whose value differs, in the order of the schema.

    >>> from codex.config.schema import Train
    >>> before, now = Config(train=Train(max_steps=50)), Config(train=Train(max_steps=90))
    >>> [str(change) for change in differing_keys(before, now)]
    ['`train.max_steps` was 50, is 90']
    """
    pairs = ((key, before.value(key), now.value(key)) for key in leaves())
    return [Change(key, was, is_, _why_fixed(key, before, now)) for key, was, is_ in pairs if was != is_]


def refuse_changes(changes: Sequence[Change], what: str, *, allowed: bool) -> None:
    """Refuse what may not change.

    Args:
        changes: what differs.
        what: the run or checkpoint that was made before, for the message.
        allowed: whether keys on request may change too.
    Raises:
        ConfigError: with one line for each key that may not change, its old value and its new one.
    """
    fixed = [change for change in changes if change.fixed_because]
    refused = fixed if allowed else [change for change in changes if not change.is_free]
    if not refused:
        return
    lines = [f"{what} began with another configuration", *(f"  {change}" for change in refused)]
    hint = "give the keys it began with, or start a fresh run: leave `--resume` and `--resume-from` out"
    if not fixed:
        hint += "; `--allow-changes` goes on with the new values"
    raise ConfigError("\n".join(lines), hint=hint)


def _why_fixed(key: str, before: Config, now: Config) -> str | None:
    if key in _ROWS_OF_A_STEP:
        was, is_ = _rows(before), _rows(now)
        return None if was == is_ else f"with {is_} rows a step, not {was}, text is read again or left out"
    if key in _ON_REQUEST:
        return None
    return next((why for start, why in _FIXED.items() if key.startswith(start)), None)


def _rows(config: Config) -> int:
    return config.train.micro_batch_size * config.train.accumulate_steps
