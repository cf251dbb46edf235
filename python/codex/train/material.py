"""What a run learns from and is measured on: text, or examples of answers, as `train.objective` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from codex.config import Config
from codex.data.examples import ExampleBatches, read_examples
from codex.data.load import TokenBatch, TokenBatches
from codex.data.prepare import prepare
from codex.data.store import cache_folder
from codex.errors import DamageError
from codex.evaluate import Bits, HeldOut, HeldOutAnswers
from codex.file import read_bytes
from codex.models.causal import CausalModel
from codex.records import read_records
from codex.tokens import Tokenizer
from codex.train.progress import Progress

__all__ = ["Batches", "Material", "Measured", "gather"]

_TEMPLATE_BYTES = 1 << 20


class Batches(Protocol):
    """What every step takes one of."""

    @property
    def digest(self) -> str:
        """Binds a checkpoint to what it was trained on."""

    def epoch(self, index: int) -> int:
        """The pass that the first row of batch `index` belongs to, from 0."""

    def __getitem__(self, index: int) -> TokenBatch:
        """A pure function of `index`."""


class Measured(Protocol):
    """What a model is measured on."""

    def measure(
        self,
        model: CausalModel,
        *,
        stride: int,
        documents_apart: bool,
        autocast: AbstractContextManager[Any] | None = None,
        progress: Progress | None = None,
    ) -> Bits:
        """The bits that the model needs to say it."""


@dataclass(frozen=True, slots=True)
class Material:
    """All that is read."""

    tokenizer: Tokenizer
    batches: Batches
    held_out: Measured
    """All of it."""
    held_out_first: Measured
    """What is measured on while training: its first `evaluate.held_out_tokens`."""
    held_out_texts: Callable[[], Iterator[str]]
    """The same as text."""
    lineage: list[dict[str, Any]]


def gather(config: Config, progress: Progress) -> Material:
    """Prepare what is missing, and open it.

    Raises:
        DataError: if it is missing, unreadable or too small.
    """
    return _text(config, progress) if config.train.objective == "text" else _examples(config, progress)


def _text(config: Config, progress: Progress) -> Material:
    prepared = prepare(config, cache=cache_folder(), progress=progress)
    tokenizer = Tokenizer.from_file(prepared.tokenizer / "tokenizer.json")
    held_out = HeldOut.open(prepared.shards, tokenizer)
    batches = TokenBatches(
        prepared.shards,
        "train",
        row_tokens=config.model.context + 1,
        batch_rows=_rows_of_a_step(config),
        seed=config.run.seed,
    )
    return Material(
        tokenizer,
        batches,
        held_out,
        held_out.first(config.evaluate.held_out_tokens),
        lambda: (record.text for record in read_records(prepared.splits / "validation.ndjson")),
        prepared.lineage,
    )


def _examples(config: Config, progress: Progress) -> Material:
    template = None if config.tokens.chat_template is None else _template(Path(config.tokens.chat_template))
    tokenizer = Tokenizer.from_file(config.tokens.tokenizer or "").with_settings(chat_template=template)
    examples = read_examples(config, tokenizer, cache=cache_folder(), progress=progress)
    held_out = HeldOutAnswers(examples.validation)
    return Material(
        tokenizer,
        ExampleBatches(examples.train, examples.digest, _rows_of_a_step(config), config.run.seed),
        held_out,
        held_out.first(config.evaluate.held_out_tokens),
        lambda: (example.answer for example in examples.validation),
        examples.lineage,
    )


def _template(path: Path) -> str:
    try:
        return read_bytes(path, limit_bytes=_TEMPLATE_BYTES).decode()
    except UnicodeDecodeError as error:
        raise DamageError(f"`{path}` is not UTF-8: {error}") from None


def _rows_of_a_step(config: Config) -> int:
    return config.train.micro_batch_size * config.train.accumulate_steps
