"""`codex tokenizer verify`: what a tokenizer makes of your own text, held against `tokenizers`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import Kind, TokenizerFile, commands, load, pieces, sample_of
from codex.file import read_bytes
from codex.tokens import BaseTokenizer
from codex.tokens.foreign import to_library

__all__ = ["verify"]

#: Characters of a part: short enough to say where a difference is, and theirs takes ten times the time on long texts.
PART_CHARACTERS = 1 << 16
DIFFERENCES_SHOWN = 10


@dataclass
class Tally:
    """What was compared, and what differs."""

    texts: int = 0
    bytes: int = 0
    tokens: int = 0
    round_trips: int = 0
    parts: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)


@commands.command()
def verify(
    out: Output,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATHS...]", help="Texts to verify on; default: some of Python's library."),
    ] = None,
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    kind: Kind = None,
) -> None:
    """Compare ids and decoded text with `tokenizers`, on your own text.

    Exits with 1 if a text has other ids than there, is decoded otherwise, or does not come back where it does there.
    """
    ours = load(tokenizer, kind, out)
    theirs = to_library(read_bytes(tokenizer) if tokenizer.suffix == ".json" else ours.to_json())
    theirs.encode_special_tokens = True
    sample = sample_of(paths, out)
    tally = Tally()
    for done, (name, text) in enumerate(sample.texts):
        out.step("verify", done, len(sample.texts))
        tally.texts += 1
        _compare(ours, theirs, name, text, tally)
    out.step("verify", len(sample.texts), len(sample.texts))
    facts = {
        "path": tokenizer,
        "fingerprint": ours.fingerprint,
        "texts": tally.texts,
        "bytes": tally.bytes,
        "tokens": tally.tokens,
        "comes_back": tally.round_trips == tally.parts,
        "differences": tally.differences,
        "skipped": [{"path": path, "reason": reason} for path, reason in sample.skipped],
    }
    out.result("tokenizer.verify", facts, text=_lines(tally))
    if tally.differences:
        raise typer.Exit(1)


def _compare(ours: BaseTokenizer, theirs: Any, name: str, text: str, tally: Tally) -> None:
    for start, part in pieces(text, PART_CHARACTERS):
        ids = ours.encode(part, "text")
        expected: list[int] = theirs.encode(part, add_special_tokens=False).ids
        text_again = ours.decode(ids)
        tally.parts += 1
        tally.bytes += len(part.encode())
        tally.tokens += len(ids)
        tally.round_trips += text_again == part
        if ids != expected:
            at = next((i for i, (a, b) in enumerate(zip(ids, expected, strict=False)) if a != b), 0)
            tally.differences.append(
                {
                    "text": name,
                    "character": start,
                    "what": "ids",
                    "ours": ids[at : at + 8],
                    "theirs": expected[at : at + 8],
                }
            )
        elif text_again != theirs.decode(ids, skip_special_tokens=False):
            tally.differences.append({"text": name, "character": start, "what": "decoded text"})


def _lines(tally: Tally) -> Iterator[str]:
    for each in tally.differences[:DIFFERENCES_SHOWN]:
        yield f"{each['text']}, from character {each['character']}: {each['what']} differ"
        if "ours" in each:
            yield f"  ours   {' '.join(map(str, each['ours']))}"
            yield f"  theirs {' '.join(map(str, each['theirs']))}"
    if len(tally.differences) > DIFFERENCES_SHOWN:
        yield f"... {len(tally.differences) - DIFFERENCES_SHOWN} more"
    back = (
        "all of it comes back"
        if tally.round_trips == tally.parts
        else (f"{tally.round_trips} of {tally.parts} parts come back as they were, in `tokenizers` too")
    )
    count = f"{len(tally.differences)} differences to tokenizers"
    yield f"{tally.texts} texts, {tally.bytes:,} bytes, {tally.tokens:,} tokens: {count}; {back}"
