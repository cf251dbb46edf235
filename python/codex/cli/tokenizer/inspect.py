"""`codex tokenizer inspect`: what a tokenizer holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import TokenizerFile, commands, facts_of, load, read
from codex.text import decode as decode_text

__all__ = ["inspect"]

LONGEST_SHOWN = 10


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
    found = load(tokenizer)
    ordinary = set(range(found.vocab_size)) - set(found.special_tokens.values())
    tokens = sorted((found.decode_bytes([i]) for i in ordinary), key=lambda token: (-len(token), token))
    longest = [token.decode("utf-8", "backslashreplace") for token in tokens[:LONGEST_SHOWN]]
    facts: dict[str, Any] = {"path": tokenizer, **facts_of(found), "longest_tokens": longest}
    if file is not None:
        data = read(file)
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
