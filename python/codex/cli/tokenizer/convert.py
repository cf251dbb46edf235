"""`codex tokenizer encode|decode`: text to ids and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import Kind, TokenizerFile, commands, load, read, read_text
from codex.errors import DataError
from codex.tokens import Specials

__all__ = ["decode", "encode"]


@commands.command()
def encode(
    out: Output,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="UTF-8 text; - is stdin.")] = "-",
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    specials: Annotated[
        Specials, typer.Option(help="Special tokens in the text: refuse, take as text, or make ids of them.")
    ] = "forbid",
    add_special_tokens: Annotated[
        bool,
        typer.Option(
            "--add-special-tokens", help="Put around it what the file's template says, such as <s>."
        ),
    ] = False,
    kind: Kind = None,
) -> None:
    """Print the ids of a text, exactly as it is: newlines and byte-order mark included."""
    encoder = load(tokenizer, kind, out)
    text = read_text(file)
    ids = encoder.encode(text, specials, add_special_tokens=add_special_tokens)
    facts = {"ids": ids, "tokens": len(ids), "bytes": len(text.encode()), "tokenizer": encoder.fingerprint}
    out.result("tokenizer.encode", facts, text=" ".join(map(str, ids)))


@commands.command()
def decode(
    out: Output,
    file: Annotated[
        str, typer.Argument(metavar="[FILE]", help="Ids as `encode` prints them; - is stdin.")
    ] = "-",
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    kind: Kind = None,
) -> None:
    """Print the bytes that ids stand for, and nothing else."""
    decoder = load(tokenizer, kind, out)
    ids = []
    for place, word in enumerate(read(file).split()):
        if not word.isdigit():
            raise DataError(
                f"`{word[:32].decode(errors='replace')}` at place {place} of `{file}` is not an id"
            )
        ids.append(int(word))
    data = decoder.decode_bytes(ids)
    out.raw(data)
    if out.is_json:
        facts = {"text": data.decode("utf-8", "replace"), "bytes": len(data), "tokens": len(ids)}
        out.result("tokenizer.decode", {**facts, "tokenizer": decoder.fingerprint})
