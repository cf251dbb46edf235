"""`codex manifest build|verify`: the digests of any folder of files, and proof that they are what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands
from codex.cli.output import Output
from codex.errors import UsageError
from codex.file import list_files, read_manifest, verify_folder, write_manifest

__all__ = ["commands"]

commands = Commands("Digests of any folder of files, and proof that they are what they were.")

_KIND = "files"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder.", show_default=False)]


@commands.command()
def build(
    out: Output,
    folder: Folder,
    replace: Annotated[bool, typer.Option("--replace", help="Write over an earlier manifest.")] = False,
) -> None:
    """Write `manifest.json` into a folder: path, length and SHA-256 of every file below it, sealed by a digest of its own.

    Args:
        folder: the folder. A link, a device or a name that is not UTF-8 in it is an error: nothing is left out in silence.
        replace: whether a manifest that this command wrote earlier may be written over; any other never is.
    """
    place = folder / "manifest.json"
    if place.exists():
        if not replace:
            raise UsageError(f"`{place}` exists", hint="`--replace` writes it anew")
        if (kind := read_manifest(place).get("kind")) != _KIND:
            raise UsageError(
                f"`{place}` is of kind {kind}, expected {_KIND}", hint="its own command wrote it"
            )
    files = list_files(folder)
    write_manifest(folder, {"kind": _KIND, "schema_version": 1, "files": files})
    _report(out, "manifest_build", folder, files, "listed in manifest.json")


@commands.command()
def verify(out: Output, folder: Folder) -> None:
    """Read every file of a folder and hold it against `manifest.json`; exit 4 names the first that differs.

    Args:
        folder: any folder with a manifest: those that codex writes have one, others get theirs by `build`.
    """
    files = verify_folder(folder)["files"]
    _report(out, "manifest_verify", folder, files, "all as they were listed")


def _report(out: Output, kind: str, folder: Path, files: list[dict[str, Any]], said: str) -> None:
    total = sum(entry["bytes"] for entry in files)
    facts = {"path": folder, "files": len(files), "bytes": total}
    out.result(kind, facts, text=f"{folder}: {len(files)} files, {total} bytes, {said}")
