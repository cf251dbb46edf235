"""`codex tokenizer train`: learn a tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import MAXIMUM_FILE_BYTES, commands, facts_of
from codex.data.corpora import user_paths
from codex.data.listing import Found, Listing, list_files
from codex.errors import DataError, MachineError
from codex.file import read_bytes
from codex.records import iter_records
from codex.text import decode as decode_text
from codex.tokens import train_bpe

__all__ = ["train"]


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
) -> None:
    """Learn a byte-level BPE vocabulary from text and write tokenizer.json.

    Files that are no text are skipped and listed. The result does not depend on the order of the files.
    """
    listing = list_files(user_paths(tuple(map(str, paths))), maximum_file_bytes=MAXIMUM_FILE_BYTES)
    skipped = [(each.path, each.reason) for each in listing.skipped]
    counts = {"texts": 0, "characters": 0}
    tokenizer = train_bpe(_texts(listing, skipped, counts, out), vocabulary_size)
    for path, reason in skipped:
        out.say(f"skipped {path}: {reason}")
    if not counts["texts"]:
        raise DataError(f"no text to learn from in {', '.join(f'`{path}`' for path in paths)}")
    if tokenizer.vocab_size < vocabulary_size:
        learnt = f"{tokenizer.vocab_size} tokens instead of {vocabulary_size}"
        out.warn(f"{learnt}: every word of the text is a single one by now")
    tokenizer.save(to)
    facts = {
        "path": to,
        **facts_of(tokenizer),
        **counts,
        "skipped": [{"path": p, "reason": r} for p, r in skipped],
    }
    text = f"{to}: {tokenizer.vocab_size} tokens from {counts['texts']} texts, {tokenizer.fingerprint}"
    out.result("tokenizer.train", facts, text=text)


def _texts(
    listing: Listing, skipped: list[tuple[str, str]], counts: dict[str, int], out: Output
) -> Iterator[str]:
    for done, found in enumerate(listing.files):
        out.step("read", done, len(listing.files))
        for text in _texts_of(found, skipped):
            counts["texts"] += 1
            counts["characters"] += len(text)
            yield text
    out.step("read", len(listing.files), len(listing.files))


def _texts_of(found: Found, skipped: list[tuple[str, str]]) -> Iterator[str]:
    """The texts of one file: a bad record is an error, a file that is no text is skipped."""
    if ".ndjson" in found.path.suffixes:
        yield from (record.text for record in iter_records(found.path))
        return
    try:
        data = read_bytes(found.path, limit_bytes=MAXIMUM_FILE_BYTES)
        text = decode_text(data, name=found.name).text
    except (DataError, MachineError) as error:
        skipped.append((found.name, str(error)))
    else:
        yield text
