"""Which kinds of tokenizer there are, and how a file or a folder becomes one.

An installed package adds a kind by an entry point of the group `codex.tokenizers`: a function that takes a `Path` and gives a
`BaseTokenizer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codex.errors import DamageError, MissingDataError
from codex.file import read_bytes
from codex.registry import Registry
from codex.tokens.interface import BaseTokenizer
from codex.tokens.settings import Settings, read_settings

__all__ = ["KINDS", "kind_of", "load_tokenizer"]

KINDS = Registry(
    "tokenizer kind",
    {
        "bpe": "codex.tokens.kinds:load_bpe",
        "sentencepiece": "codex.tokens.kinds:load_sentencepiece",
        "whitespace": "codex.tokens.kinds:load_whitespace",
        "hf": "codex.tokens.kinds:load_hf",
    },
    group="codex.tokenizers",
)
"""Kind -> the function that reads a file or a folder as it."""


def load_tokenizer(path: str | Path, kind: str | None = None, *, cache: Path | None = None) -> BaseTokenizer:
    """The tokenizer in a `tokenizer.json`, in a SentencePiece `.model`, or in a folder that holds one of them.

    Args:
        kind: one of `KINDS`; None finds out.
        cache: the folder of `Tokenizer.from_file`.
    Raises:
        RegistryError: if there is no such kind; the message lists those there are.
        MissingDataError: if there is no such file.
        DamageError: if it is damaged, or no tokenizer of that kind.
        MissingExtraError: if it needs `tokenizers`, which is not installed.

    >>> load_tokenizer("tokenizer.json", "pbe")
    Traceback (most recent call last):
    codex.errors.RegistryError: unknown tokenizer kind `pbe`, expected one of `bpe`, `hf`, `sentencepiece`, `whitespace`
    """
    path = Path(path)
    kind = kind or kind_of(path)
    load: Callable[[Path], BaseTokenizer] = KINDS[kind]
    return load_bpe(path, cache) if kind == "bpe" else load(path)


def kind_of(path: Path) -> str:
    """The kind of the tokenizer at `path`: by its name and, for a `tokenizer.json`, by its `model.type`."""
    file = _file(path)
    if file.suffix == ".model":
        return "sentencepiece"
    model = _model_type(file)
    if model == "WordLevel":
        from codex.tokens.whitespace import is_whitespace

        return "whitespace" if is_whitespace(_document(file)) else "hf"
    return "hf" if model in ("WordPiece", "Unigram") else "bpe"


def load_bpe(path: Path, cache: Path | None = None) -> BaseTokenizer:
    """Byte-pair encoding, done natively."""
    from codex.tokens.tokenizer import Tokenizer

    return Tokenizer.from_file(_file(path), cache=cache).with_settings(_settings(path))


def load_sentencepiece(path: Path) -> BaseTokenizer:
    """A SentencePiece model of type BPE, done natively."""
    from codex.tokens.tokenizer import Tokenizer

    return Tokenizer.from_sentencepiece(_file(path)).with_settings(_settings(path))


def load_whitespace(path: Path) -> BaseTokenizer:
    """Words between white space."""
    from codex.tokens.whitespace import WhitespaceTokenizer

    file = _file(path)
    try:
        return WhitespaceTokenizer(_document(file), _settings(path))
    except DamageError as error:
        raise DamageError(f"`{file}`: {str(error).removeprefix(f'`{file}` ')}") from None


def load_hf(path: Path) -> BaseTokenizer:
    """Whatever `tokenizers` can run."""
    from codex.tokens.foreign import ForeignTokenizer

    file = _file(path)
    return ForeignTokenizer(read_bytes(file), _settings(path), name=str(file))


def _file(path: Path) -> Path:
    """The file that holds the vocabulary."""
    if not path.is_dir():
        return path
    names = ("tokenizer.json", "tokenizer.model")
    found = next((path / name for name in names if (path / name).is_file()), None)
    if found is None:
        raise MissingDataError(f"`{path}` holds neither {' nor '.join(f'`{name}`' for name in names)}")
    return found


def _settings(path: Path) -> Settings:
    return read_settings(path) if path.is_dir() else Settings()


def _model_type(file: Path) -> str:
    """`model.type` of a `tokenizer.json`; BPE where it says none, or where the file is damaged: its reader tells how."""
    data = read_bytes(file)
    # As every writer writes it; no token can spell this, for its quotes would be escaped.
    if found := re.search(rb'"model"\s*:\s*\{\s*"type"\s*:\s*"(\w+)"', data):
        return found[1].decode()
    try:
        model = json.loads(data)["model"]["type"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "BPE"
    return model if isinstance(model, str) else "BPE"


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_bytes(file))
    except (ValueError, RecursionError) as error:
        raise DamageError(f"`{file}` is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise DamageError(f"`{file}` is {type(document).__name__}, expected an object")
    return document
