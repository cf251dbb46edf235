"""`codex tokenizer export`: a tokenizer as the files of other libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from codex.cli.output import Output
from codex.cli.tokenizer.place import Kind, TokenizerFile, commands, load
from codex.errors import UsageError
from codex.tokens import Tokenizer
from codex.tokens.export import save_tiktoken, save_transformers

__all__ = ["export"]


@commands.command()
def export(
    out: Output,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write it.")],
    to: Annotated[Literal["hf", "tiktoken"], typer.Option("--to", help="Whose files to write.")] = "hf",
    tokenizer: TokenizerFile = Path("tokenizer.json"),
    kind: Kind = None,
) -> None:
    """Write what transformers (hf) or tiktoken opens with equal ids.

    hf is a folder for `AutoTokenizer.from_pretrained`; tiktoken a file of ranks, and the pattern and special tokens beside it.
    What the other library cannot express is refused by name.
    """
    found = load(tokenizer, kind, out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"`{folder}` is no folder")
    if to == "hf":
        files = save_transformers(found, folder)
    elif isinstance(found, Tokenizer):
        files = save_tiktoken(found, folder)
    else:
        raise UsageError(f"`{tokenizer}` is no byte-pair encoding, and tiktoken knows no other")
    facts = {
        "folder": folder,
        "to": to,
        "files": [path.name for path in files],
        "tokenizer": found.fingerprint,
    }
    out.result("tokenizer.export", facts, text=[str(path) for path in files])
