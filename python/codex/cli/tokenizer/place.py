"""What the commands of `codex tokenizer` share: the group, the tokenizer they are given, and what they read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.errors import DataError, MissingDataError
from codex.file import read_bytes
from codex.tokens import Tokenizer

__all__ = ["MAXIMUM_FILE_BYTES", "TokenizerFile", "commands", "facts_of", "load", "read", "read_text"]

commands = Commands("Train a tokenizer, use it, look into it.")

MAXIMUM_FILE_BYTES = 1 << 30

TokenizerFile = Annotated[Path, typer.Option("--tokenizer", metavar="F", help="A tokenizer.json.")]


def facts_of(tokenizer: Tokenizer) -> dict[str, Any]:
    """What is said of a tokenizer."""
    return {
        "fingerprint": tokenizer.fingerprint,
        "vocabulary_size": tokenizer.vocab_size,
        "alphabet": 256,
        "merges": len(tokenizer.merges),
        "special_tokens": tokenizer.special_tokens,
    }


def load(path: Path) -> Tokenizer:
    """The tokenizer at `path`."""
    try:
        return Tokenizer.from_file(path)
    except MissingDataError as error:
        error.hint = "name one with `--tokenizer F`, or make one: `codex tokenizer train PATHS...`"
        raise


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
