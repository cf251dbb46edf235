"""`codex tokenizer compare`: how two tokenizers differ on the same text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.output import Output, table
from codex.cli.tokenizer.place import Kind, Sample, commands, load, sample_of
from codex.tokens import BaseTokenizer

__all__ = ["compare"]

DIFFERENCES_SHOWN = 5
CONTEXT_BYTES = 24


@commands.command()
def compare(
    out: Output,
    a: Annotated[
        Path, typer.Argument(metavar="A", help="A tokenizer.json, a SentencePiece model, or a folder.")
    ],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATHS...]", help="Texts to compare on; default: some of Python's library."),
    ] = None,
    kind: Kind = None,
) -> None:
    """Show the fertility of two tokenizers, what their vocabularies share, and where they cut a text differently.

    Fertility is tokens for each word between white space: the lower, the more text fits a context.
    """
    first, second = load(a, kind, out), load(b, kind, out)
    sample = sample_of(paths, out)
    counted = [_measured(tokenizer, sample) for tokenizer in (first, second)]
    shared = len(_tokens(first) & _tokens(second))
    texts, differing, shown = _differences(first, second, sample)
    facts = {
        "a": {"path": a, **counted[0]},
        "b": {"path": b, **counted[1]},
        "shared_tokens": shared,
        "texts": texts,
        "texts_cut_differently": differing,
        "differences": shown,
        "skipped": [{"path": path, "reason": reason} for path, reason in sample.skipped],
    }
    names = list(counted[0])
    rows = [[name.replace("_", " "), counted[0][name], counted[1][name]] for name in names]
    lines = table(["", str(a), str(b)], rows)
    lines += [
        "",
        f"{shared} tokens stand for the same bytes in both",
        f"{differing} of {texts} texts are cut differently",
    ]
    for each in shown:
        lines += [f"  {each['text']}, byte {each['byte']}", f"    {each['a']}", f"    {each['b']}"]
    out.result("tokenizer.compare", facts, text=lines)


def _measured(tokenizer: BaseTokenizer, sample: Sample) -> dict[str, Any]:
    texts = [text for _, text in sample.texts]
    tokens = int(tokenizer.encode_flat(texts, "text")[1][-1])
    size = sum(len(text.encode()) for text in texts)
    words = sum(len(text.split()) for text in texts)
    return {
        "vocabulary_size": tokenizer.vocab_size,
        "tokens": tokens,
        "bytes_per_token": round(size / max(tokens, 1), 3),
        "fertility": round(tokens / max(words, 1), 3),
    }


def _tokens(tokenizer: BaseTokenizer) -> set[bytes]:
    special = set(tokenizer.special_tokens.values())
    return {tokenizer.token_bytes(number) for number in range(tokenizer.vocab_size) if number not in special}


def _differences(
    first: BaseTokenizer, second: BaseTokenizer, sample: Sample
) -> tuple[int, int, list[dict[str, Any]]]:
    """How many texts there are, how many are cut differently, and the first place of the first few."""
    differing = 0
    shown: list[dict[str, Any]] = []
    for name, text in sample.texts:
        one, other = (tokenizer.encode_with_offsets(text, "text")[1] for tokenizer in (first, second))
        if one == other:
            continue
        differing += 1
        if len(shown) < DIFFERENCES_SHOWN:
            at = next((i for i, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), 0)
            start = one[at][0] if at < len(one) else 0
            data = text.encode()
            cuts = ["|".join(_near(data, spans, start)) for spans in (one, other)]
            shown.append({"text": name, "byte": start, "a": cuts[0], "b": cuts[1]})
    return len(sample.texts), differing, shown


def _near(data: bytes, spans: list[tuple[int, int]], start: int) -> list[str]:
    """The pieces from `start` on, a few words of them."""
    end = start + CONTEXT_BYTES
    return [
        data[a:b].decode("utf-8", "backslashreplace").encode("unicode_escape").decode()
        for a, b in spans
        if start <= a < end
    ]
