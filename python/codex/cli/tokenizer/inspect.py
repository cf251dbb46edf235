"""`codex tokenizer inspect`: how a text is cut, and what a tokenizer holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.output import Output, table
from codex.cli.paint import painted, printable
from codex.cli.tokenizer.place import Kind, TokenizerFile, commands, facts_of, load, read
from codex.errors import DataError, UsageError
from codex.text import decode as decode_text
from codex.tokens import BaseTokenizer

__all__ = ["inspect"]

LONGEST_SHOWN = 10
#: Pieces that a person is shown.
PIECES_SHOWN = 200


@commands.command()
def inspect(
    out: Output,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="A text to cut into pieces.", show_default=False),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="F", help="A file to measure; - is stdin.", show_default=False),
    ] = None,
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    kind: Kind = None,
) -> None:
    """Show how TEXT is cut: pieces, ids, bytes, offsets. Without it, what a tokenizer holds.

    With --file it shows how many bytes of that file a token stands for.
    """
    if text is not None and file is not None:
        raise UsageError("both TEXT and `--file` are given", hint="give one of them")
    found = load(tokenizer, kind, out)
    if text is not None:
        _show_pieces(out, found, text)
        return
    longest = _longest(found)
    facts: dict[str, Any] = {"path": tokenizer, **facts_of(found), "longest_tokens": longest}
    if file is not None:
        data = read(file)
        try:
            count = found.count(decode_text(data, name=file).text, "text")
        except DataError as error:
            raise DataError(f"`{file}`: {error}") from None
        facts |= {"bytes": len(data), "tokens": count, "bytes_per_token": round(len(data) / max(count, 1), 3)}
    shown = {**facts, "special_tokens": ", ".join(f"{t} = {i}" for t, i in found.special_tokens.items())}
    del shown["longest_tokens"]
    lines = [f"{name.replace('_', ' '):<16} {value}" for name, value in shown.items()]
    lines += ["longest tokens", *(f"  {token!r}" for token in longest)]
    out.result("tokenizer.inspect", facts, text=map(printable, lines))


def _longest(tokenizer: BaseTokenizer) -> list[str]:
    ordinary = set(range(tokenizer.vocab_size)) - set(tokenizer.special_tokens.values())
    tokens = sorted((tokenizer.token_bytes(i) for i in ordinary), key=lambda token: (-len(token), token))
    return [token.decode("utf-8", "backslashreplace") for token in tokens[:LONGEST_SHOWN]]


def _show_pieces(out: Output, tokenizer: BaseTokenizer, text: str) -> None:
    """The text in its pieces, in two colours, or with bars where there is no colour; then a row for each."""
    ids, spans = tokenizer.encode_with_offsets(text, "ids")
    data = text.encode()
    rows = [
        {
            "id": number,
            "piece": _visible(data[start:end]),
            "bytes": data[start:end].hex(" "),
            "start": start,
            "end": end,
        }
        for number, (start, end) in zip(ids, spans, strict=True)
    ]
    shown = rows[:PIECES_SHOWN]
    words = [str(row["piece"]) for row in shown]
    coloured = [painted(word, ("cyan", "yellow")[at % 2], sys.stdout) for at, word in enumerate(words)]
    lines = ["".join(coloured) if coloured != words else "|".join(words), ""]
    lines += table(
        ["id", "piece", "bytes", "offsets"],
        [[row["id"], row["piece"], row["bytes"], f"{row['start']}-{row['end']}"] for row in shown],
    )
    if len(rows) > len(shown):
        lines.append(f"... {len(rows) - len(shown)} more")
    lines.append(f"{len(rows)} tokens, {len(data)} bytes")
    facts = {"tokens": len(rows), "bytes": len(data), "pieces": rows, "tokenizer": tokenizer.fingerprint}
    out.result("tokenizer.inspect", facts, text=lines)


def _visible(data: bytes) -> str:
    """Bytes as a person can see them: white space and what is half a character are written out."""
    text = data.decode("utf-8", "backslashreplace").replace("\n", "\\n").replace("\t", "\\t")
    return printable(text)
