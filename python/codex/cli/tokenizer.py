"""`codex tokenizer`: train a tokenizer, use it, look into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.cli.output import Output
from codex.data.corpora import user_paths
from codex.data.listing import Found, Listing, list_files
from codex.errors import DataError, MachineError, MissingDataError
from codex.file import read_bytes
from codex.records import iter_records
from codex.text import decode as decode_text
from codex.tokens import Specials, Tokenizer, train_bpe

__all__ = ["commands"]

commands = Commands("Train a tokenizer, use it, look into it.")

MAXIMUM_FILE_BYTES = 1 << 30
LONGEST_SHOWN = 10

TokenizerFile = Annotated[Path, typer.Option("--tokenizer", metavar="F", help="A tokenizer.json.")]


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
        **_facts(tokenizer),
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


@commands.command()
def encode(
    out: Output,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="UTF-8 text; - is stdin.")] = "-",
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    specials: Annotated[
        Specials, typer.Option(help="Special tokens in the text: refuse, take as text, or make ids of them.")
    ] = "forbid",
) -> None:
    """Print the ids of a text, exactly as it is: newlines and byte-order mark included."""
    encoder = _load(tokenizer)
    data = _read(file)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"`{file}` is not UTF-8: byte 0x{data[error.start]:02x} at {error.start}") from None
    ids = encoder.encode(text, specials)
    facts = {"ids": ids, "tokens": len(ids), "bytes": len(data), "tokenizer": encoder.fingerprint}
    out.result("tokenizer.encode", facts, text=" ".join(map(str, ids)))


@commands.command()
def decode(
    out: Output,
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Ids as `encode` prints them; - is stdin.")
    ] = "-",
    tokenizer: TokenizerFile = Path("tokenizer.json"),
) -> None:
    """Print the bytes that ids stand for, and nothing else."""
    decoder = _load(tokenizer)
    ids = []
    for place, word in enumerate(_read(file).split()):
        if not word.isdigit():
            raise DataError(f"`{word.decode(errors='replace')}` at place {place} of `{file}` is not an id")
        ids.append(int(word))
    data = decoder.decode_bytes(ids)
    out.raw(data)
    if out.is_json:
        facts = {"text": data.decode("utf-8", "replace"), "bytes": len(data), "tokens": len(ids)}
        out.result("tokenizer.decode", {**facts, "tokenizer": decoder.fingerprint})


@commands.command()
def inspect(
    out: Output,
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="A text to measure; - is stdin.", show_default=False),
    ] = None,
    tokenizer: TokenizerFile = Path("tokenizer.json"),
) -> None:
    """Show what a tokenizer holds, and with FILE how many bytes of it a token stands for."""
    found = _load(tokenizer)
    ordinary = set(range(found.vocab_size)) - set(found.special_tokens.values())
    tokens = sorted((found.decode_bytes([i]) for i in ordinary), key=lambda token: (-len(token), token))
    longest = [token.decode("utf-8", "backslashreplace") for token in tokens[:LONGEST_SHOWN]]
    facts: dict[str, Any] = {"path": tokenizer, **_facts(found), "longest_tokens": longest}
    if file is not None:
        data = _read(file)
        count = len(found.encode(decode_text(data, name=file).text, "text"))
        facts |= {"bytes": len(data), "tokens": count, "bytes_per_token": round(len(data) / max(count, 1), 3)}
    shown = {
        **facts,
        "special_tokens": ", ".join(f"{text} = {i}" for text, i in found.special_tokens.items()),
    }
    del shown["longest_tokens"]
    lines = [f"{name.replace('_', ' '):<16} {value}" for name, value in shown.items()]
    out.result(
        "tokenizer.inspect", facts, text=[*lines, "longest tokens", *(f"  {token!r}" for token in longest)]
    )


def _facts(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "fingerprint": tokenizer.fingerprint,
        "vocabulary_size": tokenizer.vocab_size,
        "alphabet": 256,
        "merges": len(tokenizer.merges),
        "special_tokens": tokenizer.special_tokens,
    }


def _load(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(path)
    except MissingDataError as error:
        error.hint = "name one with `--tokenizer F`, or make one: `codex tokenizer train PATHS...`"
        raise


def _read(file: str) -> bytes:
    return sys.stdin.buffer.read() if file == "-" else read_bytes(Path(file), limit_bytes=MAXIMUM_FILE_BYTES)
