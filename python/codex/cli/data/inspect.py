"""`codex data inspect`: some documents with where they came from, and some of what was left out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.data.place import commands
from codex.cli.output import Output, table
from codex.cli.paint import printable
from codex.data.sample import sample_of
from codex.data.store import cache_folder

__all__ = ["inspect"]

_SHOWN_CHARACTERS = 200


@commands.command()
def inspect(
    out: Output,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Folder of prepared data; without it, the newest records in the cache.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[
        int, typer.Option("--count", "-n", metavar="N", min=0, help="Documents to draw, and left-out ones.")
    ] = 5,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed draws others.")] = 0,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", metavar="NAME", help="Draw from train, validation or test alone.", show_default=False
        ),
    ] = None,
) -> None:
    """Show some documents and where each came from: file, row, encoding, split; and some that were left out, with the reason."""
    found = sample_of(folder or cache_folder(), count=count, seed=seed, split=split)
    lines = [f"{found.folder}: {found.counts['records']:,} records of {found.counts['files']:,} files", ""]
    for document in found.documents:
        lines += [*_block(document), ""]
    if found.skipped:
        lines += table(["left out", "because"], [[entry["path"], entry["reason"]] for entry in found.skipped])
    else:
        lines += ["nothing was left out"]
    facts = {
        "folder": found.folder,
        "counts": found.counts,
        "dropped": found.dropped,
        "seed": seed,
        "documents": found.documents,
        "skipped": found.skipped,
    }
    out.result("data.inspect", facts, text=lines)


def _block(document: dict[str, Any]) -> list[str]:
    """Two lines on a document: where it came from, and how it begins."""
    source, text = document["source"], document["text"]
    parts = [source["path"]]
    if source["member"] is not None:
        parts.append(f"member {source['member']}")
    if source["offset"]:
        parts.append(f"byte {source['offset']:,}")
    parts += [f"{name} {value}" for name, value in (document.get("meta") or {}).items()]
    parts.append(source["encoding"])
    if source["errors"]:
        parts.append(f"{source['errors']:,} places replaced")
    start = " ".join(text[: 2 * _SHOWN_CHARACTERS].split())[:_SHOWN_CHARACTERS]
    rest = " ..." if len(text) > len(start) else ""
    return [
        f"{document['id']}  {document['split'] or 'not split'}  {len(text.encode()):,} bytes",
        printable(f"  from  {', '.join(parts)}"),
        printable(f"  text  {start}{rest}"),
    ]
