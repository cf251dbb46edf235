"""Learn a vocabulary of byte-pair encoding, as `tokenizers.trainers.BpeTrainer` does, tie for tie.

Words are counted, then the most frequent pair of neighbours becomes a token again and again. Only the counts matter: neither the
order of the inputs nor the number of threads changes a byte of what comes out. Memory grows with the distinct words, and where
`memory_limit` is given, no further than that: what is more goes to disk.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from codex import _core
from codex.errors import UsageError
from codex.file import canonical_json, digest_bytes, seal_manifest, write_atomic
from codex.tokens.checks import checked_threads
from codex.tokens.export import tiktoken_parts
from codex.tokens.inputs import Inputs, Progress
from codex.tokens.interface import END_OF_DOCUMENT
from codex.tokens.tokenizer import Tokenizer

__all__ = ["BpeOptions", "TrainedTokenizer", "count_words", "learn_bpe", "train_bpe"]

#: Merges between two looks at the keyboard.
MERGES_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class BpeOptions:
    """What a vocabulary is to be; `tokenizers` has the same options under the same names.

    Args:
        special_tokens: they have the first ids, in this order.
        min_frequency: pairs that occur less often are not merged.
        max_token_length: tokens are shorter than it in bytes, save those of two bytes.
        initial_alphabet: bytes that have an id even if no text holds them; None is all 256.
        limit_alphabet: how many bytes have an id at most, the initial ones first, then the most frequent; others are dropped.
        character_coverage: the share of the text's characters that learning looks at, the most frequent first; a rarer one
            stays the bytes it is, and no merge holds any of it.
        end_of_word_suffix: what the last byte of a word is marked with, such as `</w>`.
        pattern: a regular expression that cuts texts into words; None is GPT-2's.
        by_line: each line of a text file with its newline is a text, as `tokenizers` reads files; else the whole file is.
    """

    special_tokens: Sequence[str] = (END_OF_DOCUMENT,)
    min_frequency: int = 0
    max_token_length: int | None = None
    initial_alphabet: bytes | None = None
    limit_alphabet: int | None = None
    character_coverage: float = 1.0
    end_of_word_suffix: str | None = None
    pattern: str | None = None
    by_line: bool = False

    def __post_init__(self) -> None:
        for name in ("min_frequency", "max_token_length", "limit_alphabet"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise UsageError(f"`{name}` is {value}, expected 0 or more")

    def _facts(self) -> dict[str, Any]:
        alphabet = self.initial_alphabet
        return {
            **asdict(self),
            "special_tokens": list(self.special_tokens),
            "initial_alphabet": None if alphabet is None else sorted(set(alphabet)),
        }


@dataclass(frozen=True)
class TrainedTokenizer:
    """A vocabulary that has been learnt, and what it was learnt from.

    Args:
        json: the `tokenizer.json`.
        manifest: inputs by digest, options, counts and version; equal runs have equal ones.
        spilled_bytes: what went to disk on the way, which no manifest holds.
    """

    json: bytes = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)
    spilled_bytes: int = 0

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer.

        One without some bytes leaves them out of every text, one with a suffix the bytes that ended no word it learnt from, as
        `tokenizers` does: they have no token.
        """
        return Tokenizer.from_json(self.json)

    def save(self, path: str | Path) -> str:
        """Write `path`, beside it the ranks that tiktoken reads (`.tiktoken`), and last a manifest (`.manifest.json`).

        There are no ranks of a vocabulary that lacks bytes or whose tokens stand for more than bytes.

        Returns:
            the fingerprint of the tokenizer.
        """
        path = Path(path)
        files = {path: self.json}
        if _is_whole(self.manifest):
            ranks = sorted(
                tiktoken_parts(self.tokenizer)["mergeable_ranks"].items(), key=lambda item: item[1]
            )
            lines = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks]
            files[path.with_suffix(".tiktoken")] = b"".join(lines)
        listed = []
        for each, data in files.items():
            write_atomic(each, data)
            listed.append({"path": each.name, "bytes": len(data), "digest": digest_bytes(data)})
        write_atomic(path.with_suffix(".manifest.json"), seal_manifest({**self.manifest, "files": listed}))
        return digest_bytes(canonical_json(json.loads(self.json)))


def train_bpe(
    paths_or_texts: str | Path | Iterable[str | Path],
    vocab_size: int,
    special_tokens: Sequence[str] = (END_OF_DOCUMENT,),
    *,
    threads: int | None = None,
    memory_limit: int | None = None,
    **options: Any,
) -> Tokenizer:
    """Learn a vocabulary: the special tokens, the 256 bytes, then merges until it is full or no pair is left.

    Args:
        paths_or_texts: a string is a text, a `Path` a file: records if its name holds `.ndjson`, else a text of UTF-8, both
            plain or compressed.
        vocab_size: ids in all.
        special_tokens: they have the first ids, in this order.
        threads: how many count, one for each processor if None. The answer is the same whatever it is.
        memory_limit: bytes for counting and learning; what is more goes to files in the folder for temporary ones (`TMPDIR`)
            that are gone when the process is, however it ends.
        options: the other fields of `BpeOptions`.
    Raises:
        UsageError: if `vocab_size` has no room for the special tokens and the bytes, a special token is empty, given twice or
            spelt by ordinary text, or the limit is too small.
        MissingDataError, DataError: if a file cannot be read or holds no text.
        MachineError: if the disk is full.

    >>> train_bpe(["aa aa aa"], 4096).vocab_size  # all that can be learnt: `aa` and ` aa`
    259
    """
    chosen = BpeOptions(special_tokens=special_tokens, **options)
    return _learn(paths_or_texts, vocab_size, chosen, threads, memory_limit, digests=False).tokenizer


def learn_bpe(
    paths_or_texts: str | Path | Iterable[str | Path],
    vocab_size: int,
    options: BpeOptions | None = None,
    *,
    threads: int | None = None,
    memory_limit: int | None = None,
    spill_into: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> TrainedTokenizer:
    """As `train_bpe`, for keeping: with a manifest of what was learnt from what, and progress on the way.

    Args:
        spill_into: the folder for what `memory_limit` leaves no room for; that for temporary files if None.
        progress: called with what is being done, how much of it is done, and how much there is.

    >>> trained = learn_bpe(["low lower lowest"], 260)
    >>> trained.tokenizer.vocab_size, trained.manifest["counts"]["merges"]
    (260, 3)
    """
    chosen = options or BpeOptions()
    return _learn(
        paths_or_texts, vocab_size, chosen, threads, memory_limit, spill_into=spill_into, progress=progress
    )


def count_words(
    paths_or_texts: str | Path | Iterable[str | Path],
    options: BpeOptions,
    *,
    threads: int | None = None,
    memory_limit: int | None = None,
    spill_into: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> dict[str, int]:
    """Texts, bytes and distinct words there are to learn from: training up to the first merge."""
    counts, _ = _counted(paths_or_texts, options, threads, memory_limit, spill_into, progress, digests=False)
    texts, size, _ = counts.counted()
    words = _begun(counts, len(options.special_tokens) + 512, options).distinct_words
    return {"texts": texts, "bytes": size, "distinct_words": words}


def _counted(
    items: str | Path | Iterable[str | Path],
    options: BpeOptions,
    threads: int | None,
    memory_limit: int | None,
    spill_into: str | Path | None,
    progress: Progress,
    *,
    digests: bool,
) -> tuple[_core.WordCounts, Inputs]:
    counts = _core.WordCounts(options.pattern, memory_limit, spill_into or tempfile.gettempdir())
    inputs = Inputs(counts, options.by_line, checked_threads(threads), digests, progress)
    inputs.take(items)
    return counts, inputs


def _begun(counts: _core.WordCounts, vocab_size: int, options: BpeOptions) -> _core.Training:
    alphabet = bytes(range(256)) if options.initial_alphabet is None else options.initial_alphabet
    return counts.learn(
        max(vocab_size, 0),
        list(options.special_tokens),
        options.min_frequency,
        options.max_token_length,
        alphabet,
        options.limit_alphabet,
        options.character_coverage,
        options.end_of_word_suffix,
    )


def _learn(
    items: str | Path | Iterable[str | Path],
    vocab_size: int,
    options: BpeOptions,
    threads: int | None,
    memory_limit: int | None,
    *,
    spill_into: str | Path | None = None,
    progress: Progress = lambda stage, done, total: None,
    digests: bool = True,
) -> TrainedTokenizer:
    counts, inputs = _counted(items, options, threads, memory_limit, spill_into, progress, digests=digests)
    texts, size, _ = counts.counted()
    training = _begun(counts, vocab_size, options)
    first = training.vocab_size
    while training.advance(MERGES_AT_ONCE):
        progress("merge", training.vocab_size - first, vocab_size - first)
    learnt = training.vocab_size
    progress("merge", learnt - first, learnt - first)
    manifest = {
        "kind": "tokenizer",
        "schema_version": 1,
        "version": _core.version(),
        "trainer": "bpe",
        "is_reproducible": True,
        "parents": inputs.identities(),
        "parameters": {"vocab_size": vocab_size, **options._facts()},
        "counts": {
            "texts": texts,
            "bytes": size,
            "distinct_words": training.distinct_words,
            "vocab_size": learnt,
            "merges": learnt - first,
        },
        "skipped": [],
    }
    spilled = training.spilled_bytes
    return TrainedTokenizer(training.finish(), manifest, spilled)


def _is_whole(manifest: dict[str, Any]) -> bool:
    """Whether every byte has a token of its own, and tokens stand for nothing but bytes."""
    chosen = manifest["parameters"]
    return manifest["trainer"] == "bpe" and all(
        chosen[name] is None for name in ("initial_alphabet", "limit_alphabet", "end_of_word_suffix")
    )
