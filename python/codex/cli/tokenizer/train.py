"""`codex tokenizer train`: learn a tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import MAXIMUM_FILE_BYTES, commands
from codex.data.corpora import user_paths
from codex.data.listing import Found, Listing, list_files
from codex.errors import DataError, MachineError, MissingDataError, UsageError
from codex.file import read_bytes
from codex.text import decode as decode_text
from codex.tokens import BpeOptions, TrainedTokenizer, learn_bpe
from codex.tokens.train import count_words

__all__ = ["train"]

Trainer = Literal["bpe", "unigram", "wordpiece"]

#: Larger files are not held in memory: they have to be UTF-8, and are taken exactly as they are.
STREAMED_BYTES = 1 << 26


@commands.command()
def train(
    out: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATHS...", help="Text files, records (*.ndjson), or folders of them."),
    ],
    vocabulary_size: Annotated[
        int,
        typer.Option("--vocabulary-size", metavar="N", help="Ids in all: special token, 256 bytes, merges."),
    ] = 4096,
    to: Annotated[Path, typer.Option("--out", metavar="F", help="Where to write it.")] = Path(
        "tokenizer.json"
    ),
    trainer: Annotated[
        Trainer, typer.Option(metavar="NAME", help="bpe; or unigram, wordpiece (extra hf, not reproducible).")
    ] = "bpe",
    min_frequency: Annotated[int, typer.Option(metavar="N", help="Merge no pair that is rarer.")] = 0,
    max_token_length: Annotated[
        int | None, typer.Option(metavar="N", help="Tokens are shorter, in bytes.", show_default=False)
    ] = None,
    limit_alphabet: Annotated[
        int | None, typer.Option(metavar="N", help="Bytes with an id at most.", show_default=False)
    ] = None,
    character_coverage: Annotated[
        float, typer.Option(metavar="X", help="Share of the characters that is learnt from.")
    ] = 1.0,
    end_of_word_suffix: Annotated[
        str | None, typer.Option(metavar="S", help="Mark of a word's last byte.", show_default=False)
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="REGEX", help="What cuts words; GPT-2's if none.", show_default=False),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Threads that count; one a processor.", show_default=False)
    ] = None,
    memory_limit: Annotated[
        int | None,
        typer.Option(metavar="MB", help="Megabytes; what is more goes to disk.", show_default=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and write nothing.")] = False,
) -> None:
    """Learn a vocabulary from text; write tokenizer.json, ranks for tiktoken, and a manifest.

    Files that are no text are skipped and listed. The result depends neither on the order of the files nor on the threads.
    """
    if not dry_run:
        _require_folder(to)
    listing = list_files(user_paths(tuple(map(str, paths))), maximum_file_bytes=1 << 50)
    skipped = [(each.path, each.reason) for each in listing.skipped]
    options = BpeOptions(
        min_frequency=min_frequency,
        max_token_length=max_token_length,
        limit_alphabet=limit_alphabet,
        character_coverage=character_coverage,
        end_of_word_suffix=end_of_word_suffix,
        pattern=pattern,
    )
    inputs = _inputs(listing, skipped, out)
    within: dict[str, Any] = {
        "threads": threads,
        "memory_limit": None if memory_limit is None else memory_limit << 20,
        "spill_into": to.absolute().parent,
        "progress": out.step,
    }
    if dry_run:
        counts = count_words(inputs, options, **within)
        _say_skipped(skipped, out)
        text = f"{counts['texts']} texts, {counts['bytes']} bytes, {counts['distinct_words']} distinct words"
        out.result(
            "tokenizer.train", {**counts, "skipped": _listed(skipped)}, text=f"{text}; nothing is written"
        )
        return
    if trainer == "bpe":
        trained = learn_bpe(inputs, vocabulary_size, options, **within)
    else:
        trained = _learn_elsewhere(trainer, inputs, vocabulary_size, options, out)
    _say_skipped(skipped, out)
    counts = trained.manifest["counts"]
    if not counts["bytes"]:
        raise DataError(f"no text to learn from in {', '.join(f'`{path}`' for path in paths)}")
    learnt = counts["vocab_size"]
    if learnt < vocabulary_size:
        out.warn(f"{learnt} tokens instead of {vocabulary_size}: no pair is left to merge")
    trained = TrainedTokenizer(
        trained.json, {**trained.manifest, "skipped": _listed(skipped)}, trained.spilled_bytes
    )
    fingerprint = trained.save(to)
    facts = {
        "path": to,
        "fingerprint": fingerprint,
        "vocabulary_size": learnt,
        "trainer": trainer,
        "is_reproducible": trained.manifest["is_reproducible"],
        **{name: counts[name] for name in counts if name != "vocab_size"},
        "spilled_bytes": trained.spilled_bytes,
        "skipped": _listed(skipped),
    }
    text = f"{to}: {learnt} tokens from {counts['texts']} texts, {fingerprint}"
    out.result("tokenizer.train", facts, text=text)


def _require_folder(to: Path) -> None:
    """Refuses a place that cannot be written to before anything is learnt."""
    if not to.absolute().parent.is_dir():
        raise MissingDataError(
            f"cannot create `{to}`: no such folder as `{to.parent}`",
            hint="make it first, or choose another --out",
        )
    if to.is_dir():
        raise UsageError(
            f"`--out` is the folder `{to}`, expected a file", hint=f"`--out {to / 'tokenizer.json'}`"
        )


def _learn_elsewhere(
    trainer: Literal["unigram", "wordpiece"],
    inputs: Iterator[str | Path],
    size: int,
    options: BpeOptions,
    out: Output,
) -> TrainedTokenizer:
    if options != BpeOptions():
        raise UsageError(f"`{trainer}` is learnt by `tokenizers`, which takes none of these options")
    from codex.tokens.foreign_train import learn_foreign

    trained = learn_foreign(inputs, size, trainer)
    out.warn(f"not reproducible: `tokenizers` learns another {trainer} vocabulary each time")
    return trained


def _say_skipped(skipped: list[tuple[str, str]], out: Output) -> None:
    for path, reason in skipped:
        out.say(f"skipped {path}: {reason}")


def _listed(skipped: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"path": path, "reason": reason} for path, reason in skipped]


def _inputs(listing: Listing, skipped: list[tuple[str, str]], out: Output) -> Iterator[str | Path]:
    for done, found in enumerate(listing.files):
        out.step("read", done, len(listing.files))
        yield from _inputs_of(found, skipped)
    out.step("read", len(listing.files), len(listing.files))


def _inputs_of(found: Found, skipped: list[tuple[str, str]]) -> Iterator[str | Path]:
    """What one file is learnt from: records and large texts are read there, a small text is decoded here, or skipped."""
    if ".ndjson" in found.path.suffixes or found.bytes > STREAMED_BYTES:
        yield found.path
        return
    try:
        data = read_bytes(found.path, limit_bytes=MAXIMUM_FILE_BYTES)
        text = decode_text(data, name=found.name).text
    except (DataError, MachineError) as error:
        skipped.append((found.name, str(error)))
    else:
        yield text
