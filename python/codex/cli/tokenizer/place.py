"""What the commands of `codex tokenizer` share: the group, the tokenizer they are given, and what they read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.cli.output import Output
from codex.data.corpora import python_stdlib, user_paths
from codex.data.listing import list_files
from codex.data.store import cache_folder
from codex.errors import DataError, MachineError, MissingDataError
from codex.file import read_bytes
from codex.text import decode
from codex.tokens import BaseTokenizer, Tokenizer, load_tokenizer
from codex.tokens.foreign import ForeignTokenizer

__all__ = [
    "MAXIMUM_FILE_BYTES",
    "Kind",
    "Sample",
    "TokenizerFile",
    "commands",
    "facts_of",
    "load",
    "pieces",
    "read",
    "read_text",
    "sample_of",
]

commands = Commands("Train a tokenizer, use it, look into it.")

MAXIMUM_FILE_BYTES = 1 << 30
#: Characters of a sample: enough for ratios that stand, little enough for seconds.
SAMPLE_CHARACTERS = 1 << 21

TokenizerFile = Annotated[
    Path,
    typer.Option("--tokenizer", metavar="F", help="A tokenizer.json, a SentencePiece model, or a folder."),
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", metavar="K", help="bpe, sentencepiece, whitespace, hf or a plugin's; default: by the file."
    ),
]


def facts_of(tokenizer: BaseTokenizer) -> dict[str, Any]:
    """What is said of a tokenizer."""
    native = {"merges": len(tokenizer.merges)} if isinstance(tokenizer, Tokenizer) else {}
    return {
        "fingerprint": tokenizer.fingerprint,
        "vocabulary_size": tokenizer.vocab_size,
        **native,
        "special_tokens": tokenizer.special_tokens,
    }


def load(path: Path, kind: str | None, out: Output) -> BaseTokenizer:
    """The tokenizer at `path`; says so if another library runs it."""
    try:
        found = load_tokenizer(path, kind, cache=cache_folder())
    except MissingDataError as error:
        error.hint = "name another (`--tokenizer F`), or make one: `codex tokenizer train PATHS...`"
        raise
    if isinstance(found, ForeignTokenizer):
        out.say(f"{path}: run by `tokenizers`, on one thread")
    return found


def read(file: str) -> bytes:
    """The bytes of a file; `-` is stdin."""
    return sys.stdin.buffer.read() if file == "-" else read_bytes(Path(file), limit_bytes=MAXIMUM_FILE_BYTES)


def read_text(file: str) -> str:
    """The UTF-8 text of a file, exactly as it is; `-` is stdin."""
    data = read(file)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"`{file}` is not UTF-8: byte 0x{data[error.start]:02x} at {error.start}") from None


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts with their names, and what was left aside, each with its reason."""

    texts: list[tuple[str, str]]
    skipped: list[tuple[str, str]]


def sample_of(paths: Sequence[Path] | None, out: Output) -> Sample:
    """The texts of some files and folders, all of them; without any, two million characters of Python's own library.

    Raises:
        DataError: if there is no text in them.
    """
    corpus = user_paths(tuple(map(str, paths))) if paths else python_stdlib()
    listing = list_files(corpus, maximum_file_bytes=MAXIMUM_FILE_BYTES)
    skipped = [(each.path, each.reason) for each in listing.skipped]
    texts: list[tuple[str, str]] = []
    characters = 0
    for done, found in enumerate(listing.files):
        out.step("read", done, len(listing.files))
        try:
            text = decode(read_bytes(found.path, limit_bytes=MAXIMUM_FILE_BYTES), name=found.name).text
        except (DataError, MachineError) as error:
            skipped.append((found.name, str(error)))
            continue
        texts.append((found.name, text))
        characters += len(text)
        if not paths and characters > SAMPLE_CHARACTERS:
            break
    for path, reason in skipped if paths else ():
        out.say(f"skipped {path}: {reason}")
    if not characters:
        raise DataError(f"no text in {', '.join(f'`{path}`' for path in paths or corpus.roots)}")
    return Sample(texts, skipped if paths else [])


def pieces(text: str, characters: int) -> Iterator[tuple[int, str]]:
    """A text in parts of so many characters, each with the place where it starts."""
    for start in range(0, len(text), characters):
        yield start, text[start : start + characters]
