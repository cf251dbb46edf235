"""Examples to learn an answer from, one JSON object a line, as rows of tokens with a mask of what is to be learned.

    {"prompt": "2 + 2 =", "response": " 4"}
    {"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]}
    {"prompt": "2 + 2 =", "chosen": " 4", "rejected": " 5"}

B rows, T + 1 tokens of a row. A row is one example, never cut: one that is longer than the context is left out, counted and
said. Which example stands in which batch is a pure function of (seed, epoch, index), as for text (`codex.data.order`); sides
are chosen by content. All examples are held in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from codex.config.document import is_unicode
from codex.data.load import TokenBatch
from codex.data.order import Permutation
from codex.data.progress import Progress
from codex.data.source import source_of
from codex.data.split import side_by_id
from codex.errors import DataError
from codex.file import canonical_json, read_bytes
from codex.tokens.chat import Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from codex.config.schema import Config
    from codex.tokens import BaseTokenizer

__all__ = ["Example", "ExampleBatches", "Examples", "Row", "padded", "read_examples"]


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens of a prompt and an answer to it; `learned` says of each token whether it is of the answer."""

    tokens: NDArray[np.int64]
    learned: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Example:
    """One line: the answer to learn, and with `preferences` the one to avoid after it."""

    id: str
    rows: tuple[Row, ...]
    answer: str
    """As text, the one to learn."""


@dataclass(frozen=True, slots=True)
class Examples:
    """All examples, side by side, each side in the order of the ids."""

    train: list[Example]
    validation: list[Example]
    lineage: list[dict[str, Any]]

    @property
    def digest(self) -> str:
        """Binds a checkpoint to what it was trained on."""
        digest: str = self.lineage[0]["digest"]
        return digest


def read_examples(config: Config, tokenizer: BaseTokenizer, *, cache: Path, progress: Progress) -> Examples:
    """The examples in the files of `data.paths`, for `train.objective` `responses` or `preferences`.

    Args:
        config: the whole configuration.
        tokenizer: with a chat template, if the answers are to be learned in one.
        cache: folder that files from elsewhere are copied to, see `codex.data.store.cache_folder`.
        progress: told what is left out.
    Raises:
        DataError: naming file and line of what is no example, or if a side has none.
    """
    source = source_of(config.data, not_input=[cache])
    source.bring(cache, progress)
    for path, reason, _ in map(astuple, source.listing.skipped):
        progress.say(f"skipped `{path}`: {reason}")
    found: dict[str, tuple[Mapping[str, Any], str]] = {}
    counts: Counter[str] = Counter()
    for file in source.listing.files:
        for number, line in enumerate(read_bytes(file.path).split(b"\n"), start=1):
            if line.strip():
                where = f"{file.name}:{number}"
                content = _checked(line, config.train.objective, where)
                identity = hashlib.sha256(canonical_json(content)).hexdigest()[:32]
                counts["duplicates"] += identity in found
                found[identity] = content, where
    parameters = {
        "validation_fraction": config.data.validation_fraction,
        "test_fraction": config.data.test_fraction,
        "objective": config.train.objective,
        "context": config.model.context,
        "tokenizer": tokenizer.fingerprint,
        "chat_template": tokenizer.settings.chat_template,
    }
    sides: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    for identity, (content, where) in sorted(found.items()):
        try:
            rows = tuple(_row(tokenizer, messages) for messages in _conversations(content))
        except DataError as error:
            raise DataError(f"{where}: {error.message}", hint=error.hint) from None
        if max(len(row.tokens) for row in rows) > config.model.context + 1:
            counts["longer_than_context"] += 1
        elif not all(row.learned[1:].any() for row in rows):
            counts["nothing_to_learn"] += 1
        else:
            sides[side_by_id(identity, parameters)].append(Example(identity, rows, _answer(content)))
    for reason, number in sorted(counts.items()):
        if number:
            progress.say(f"examples left out: {number:,} ({reason.replace('_', ' ')})")
    for side in ("train", "validation"):
        if not sides[side]:
            raise DataError(
                f"none of {len(found)} examples is left for split `{side}`",
                hint="add examples, raise `model.context`, or change `data.validation_fraction`",
            )
    digest = hashlib.sha256(canonical_json({"examples": sorted(found), **parameters})).hexdigest()
    held = {f"{side}_examples": len(examples) for side, examples in sides.items()}
    stage = {"kind": "examples", "digest": f"sha256:{digest}", "parents": [], "files": []}
    counts["skipped_files"] = len(source.listing.skipped)
    return Examples(
        sides["train"],
        sides["validation"],
        [{**stage, "parameters": parameters, "counts": {**held, **counts}}],
    )


class ExampleBatches:
    """All batches of some examples, without end; rows are filled up to the longest with what is not learned.

    Args:
        examples: at least one.
        digest: of all of them.
        batch_examples: in a batch; the rows of one stand together.
        seed: which of the orders.
    """

    def __init__(self, examples: Sequence[Example], digest: str, batch_examples: int, seed: int) -> None:
        self.digest = digest
        self._examples = examples
        self._batch_examples = batch_examples
        self._order = lru_cache(maxsize=2)(
            lambda epoch: Permutation(len(examples), f"codex examples {seed} {epoch}")
        )

    def epoch(self, index: int) -> int:
        """The pass over the examples that the first row of batch `index` belongs to, from 0."""
        return index * self._batch_examples // len(self._examples)

    def __getitem__(self, index: int) -> TokenBatch:
        """Batch `index`, from 0; any order of asking gives the same batches."""
        first = index * self._batch_examples
        rows: list[Row] = []
        for number in range(first, first + self._batch_examples):
            epoch, place = divmod(number, len(self._examples))
            rows += self._examples[int(self._order(epoch)[np.array([place])][0])].rows
        return padded(rows, self.epoch(index))


def padded(rows: Sequence[Row], epoch: int = 0) -> TokenBatch:
    """Rows as one batch."""
    length = max(len(row.tokens) for row in rows)
    tokens = np.zeros((len(rows), length), dtype=np.int64)
    learned = np.zeros((len(rows), length - 1), dtype=np.bool_)
    for number, row in enumerate(rows):
        tokens[number, : len(row.tokens)] = row.tokens
        learned[number, : len(row.tokens) - 1] = row.learned[1:]
    return TokenBatch(tokens, epoch, learned)


_KEYS = {
    "responses": [{"prompt", "response"}, {"messages"}],
    "preferences": [{"prompt", "chosen", "rejected"}],
}


def _checked(line: bytes, objective: str, where: str) -> Mapping[str, Any]:
    """What is in a line, once it is known to be an example; other keys are left aside."""
    try:
        content = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is no JSON: {error}") from None
    for keys in _KEYS[objective]:
        if isinstance(content, dict) and keys <= content.keys():
            texts = [content[key] for key in sorted(keys)]
            if keys == {"messages"}:
                messages = texts[0] if isinstance(texts[0], list) else [None]
                texts = [
                    m.get(key) if isinstance(m, dict) else None
                    for m in messages
                    for key in ("role", "content")
                ]
            if all(isinstance(text, str) and is_unicode(text) for text in texts):
                return {key: content[key] for key in keys}
    wanted = " or ".join(", ".join(f"`{key}`" for key in sorted(keys)) for keys in _KEYS[objective])
    raise DataError(f"{where} is no example for `train.objective: {objective}`, expected {wanted}")


def _conversations(content: Mapping[str, Any]) -> list[Sequence[Message]]:
    """The rows of an example as messages."""
    if "messages" in content:
        return [content["messages"]]
    answers = [content[key] for key in ("response", "chosen", "rejected") if key in content]
    prompt = {"role": "user", "content": content["prompt"]}
    return [[prompt, {"role": "assistant", "content": answer}] for answer in answers]


def _answer(content: Mapping[str, Any]) -> str:
    messages = _conversations(content)[0]
    return "".join(message["content"] for message in messages if message["role"] == "assistant")


def _row(tokenizer: BaseTokenizer, messages: Sequence[Message]) -> Row:
    """In the chat template; without one a prompt and an answer stand as a document of text does."""
    if tokenizer.chat_template is not None:
        encoded = tokenizer.encode_chat(messages)
        return Row(np.array(encoded.ids), np.array(encoded.mask))
    if [message["role"] for message in messages] != ["user", "assistant"]:
        raise DataError(
            "a conversation needs a chat template to become text", hint="name one: `tokens.chat_template`"
        )
    end = tokenizer.end_of_document_id
    prompt, answer = (tokenizer.encode(message["content"], specials="text") for message in messages)
    ids = [end, *prompt, *answer, end]
    return Row(np.array(ids), np.arange(len(ids)) > len(prompt))
