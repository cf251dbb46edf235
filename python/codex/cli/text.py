"""`codex text detect|convert`: which encodings files are in, and files made UTF-8."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.cli.output import Output, table
from codex.errors import CodexError, UsageError
from codex.file import write_atomic
from codex.text import detect_file, read_text

__all__ = ["commands"]

commands = Commands("Find the encoding of files, and make them UTF-8.")


@commands.command()
def detect(
    out: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATHS...", help="Files to look at.", show_default=False, readable=False),
    ],
) -> None:
    """Say which encoding each file is in, how sure that is, and what is damaged.

    Args:
        paths: files; compressed ones are looked into. Exit 3 if one cannot be read, after the others are shown.
    """
    rows: list[dict[str, Any]] = []
    failed: CodexError | None = None
    for done, path in enumerate(paths):
        out.step("detect", done, len(paths))
        try:
            rows.append(_facts(path))
        except CodexError as error:
            failed = failed or error
            out.warn(str(error))
    out.step("detect", len(paths), len(paths))
    header = ("file", "encoding", "confidence", "language", "newlines", "errors")
    lines = table(header, ([row[name] if row[name] is not None else "-" for name in header] for row in rows))
    out.result("text_detect", {"files": rows}, text=lines if rows else ())
    if failed:
        raise failed


def _facts(path: Path) -> dict[str, Any]:
    found = detect_file(path)
    return {
        "file": str(path),
        "encoding": found.encoding or "binary",
        "confidence": round(found.confidence, 3),
        "language": found.language,
        "newlines": "+".join(kind for kind, n in found.newline_counts._asdict().items() if n) or None,
        "errors": found.errors,
        "byte_order_mark": found.byte_order_mark,
        "alternatives": [other.encoding for other in found.alternatives],
        "why": found.why,
    }


@commands.command()
def convert(
    out: Output,
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="The file to read.", show_default=False, readable=False)
    ],
    target: Annotated[Path, typer.Argument(metavar="DST", help="The file to write.", show_default=False)],
    encoding: Annotated[str, typer.Option("--from", metavar="ENCODING", help="What SRC is in.")] = "auto",
    repair: Annotated[
        bool, typer.Option("--repair", help="Decode damaged lines as what they most likely are.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write DST even if it exists.")] = False,
) -> None:
    """Write a file again as UTF-8 with `\\n` newlines: whole, or not at all.

    Args:
        source: the file to read; compressed ones are looked into.
        target: the file to write, another one than `source`.
        encoding: the encoding of `source`; found if it is `auto`.
        repair: whether damage is repaired; else it is exit 3.
        replace: whether an existing `target` may be replaced.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"`{target}` is the file to read", hint="write to another one")
    if target.exists() and not replace:
        raise UsageError(f"`{target}` exists", hint="`--replace` writes over it")
    text = read_text(source, encoding, errors="repair" if repair else "strict")
    data = text.text.encode("utf-8", "surrogatepass")
    write_atomic(target, data)
    facts = {
        "source": source,
        "target": target,
        "encoding": text.used_encoding,
        "errors": text.errors,
        "bytes": len(data),
    }
    places = [{"offset": place.offset, "encoding": place.encoding} for place in text.places[:100]]
    repaired = f", {text.errors} places repaired" if text.errors else ""
    out.result(
        "text_convert", {**facts, "places": places}, text=f"{target}: from {text.used_encoding}{repaired}"
    )
