"""`codex data`: raw files to records, splits and token shards, and proof that they are what they were."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from codex.cli.command import Commands, ConfigName, Overrides
from codex.cli.output import Output, table
from codex.config import load
from codex.data.contents import describe, stage_folders
from codex.data.corpora import corpora
from codex.data.prepare import prepare_until
from codex.data.split import SPLITS
from codex.data.store import Place, cache_folder
from codex.data.verify import verify as verify_folder
from codex.errors import CodexError

__all__ = ["commands"]

commands = Commands("Raw files to records, splits and token shards.")

_SKIPPED_LINES = 20

OutFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write to DIR instead of the cache.", show_default=False),
]


@commands.command("list")
def list_(out: Output) -> None:
    """List the built-in corpora, and what is prepared in the cache.

    Manifests are read, files are not: `codex data verify` reads everything.
    """
    known = [_corpus(name) for name in corpora.names()]
    cache = cache_folder()
    prepared = [describe(stage, folder) for stage, folder in stage_folders(cache)]
    lines = [
        "corpora",
        *table(["name", "what it is"], [[entry["name"], entry["about"]] for entry in known]),
        "",
    ]
    if prepared:
        rows = [
            [e["stage"], e["key"][:12], (e["made"] or "")[:16].replace("T", " "), _holds(e)] for e in prepared
        ]
        lines += [f"prepared in {cache}", *table(["stage", "key", "made (UTC)", "holds"], rows)]
    else:
        lines += [f"nothing is prepared in {cache}"]
    out.result("data.list", {"corpora": known, "cache": cache, "prepared": prepared}, text=lines)


@commands.command()
def ingest(out: Output, config: ConfigName = None, to: OutFolder = None, overrides: Overrides = None) -> None:
    """Read a corpus into records: one for each text, exact duplicates dropped, in the order of their ids."""
    _prepare(out, "ingest", "records", config, to, overrides)


@commands.command()
def split(out: Output, config: ConfigName = None, to: OutFolder = None, overrides: Overrides = None) -> None:
    """Divide the records into train, validation and test, near duplicates together; ingests first what is missing."""
    _prepare(out, "split", "splits", config, to, overrides)


@commands.command()
def tokenize(
    out: Output, config: ConfigName = None, to: OutFolder = None, overrides: Overrides = None
) -> None:
    """Train the tokenizer on the train split and write token shards; prepares first what is missing."""
    _prepare(out, "tokenize", "shards", config, to, overrides)


@commands.command()
def verify(
    out: Output,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="Folder of prepared data; without it, the cache.", show_default=False
        ),
    ] = None,
) -> None:
    """Check every byte of prepared data: digests, ids, counts, parents; shards must decode to their texts."""
    where = folder or cache_folder()
    report = verify_folder(where, out)
    lines = [f"{problem.path}: {problem.part}: {problem.reason}" for problem in report.problems]
    lines += [f"not compared: {line}" for line in report.unchecked]
    verdict = f"problems: {len(report.problems)}" if report.problems else "all is as it was written"
    lines.append(f"{len(report.checked)} folders in {where}: {verdict}")
    out.result("data.verify", {"folder": where, **report.as_dict()}, text=lines)
    if report.problems:
        raise typer.Exit(4)


def _prepare(
    out: Output, command: str, last: str, config: str | None, to: Path | None, overrides: list[str] | None
) -> None:
    loaded = load(config, overrides or ())
    stages = prepare_until(last, loaded.config, place=Place(cache_folder(), to), progress=out)
    facts: dict[str, Any] = {
        name: {
            "folder": stage.folder,
            "built": stage.built,
            "digest": stage.manifest["digest"],
            "counts": stage.manifest["counts"],
            "skipped": stage.manifest["skipped"],
        }
        for name, stage in stages.items()
    }
    lines = [
        f"{name:10}{'built' if stage.built else 'found'}  {stage.folder}" for name, stage in stages.items()
    ]
    result: dict[str, Any] = {"stages": facts}
    if command == "ingest":
        manifest = stages["records"].manifest
        _tell_skipped(out, manifest["skipped"])
        result["dropped"] = dict(sorted(manifest["dropped"].items(), key=lambda kind: (-kind[1], kind[0])))
        lines += ["", *_totals(manifest["counts"], result["dropped"])]
    out.result(f"data.{command}", result, text=lines)


def _totals(counts: dict[str, int], dropped: dict[str, int]) -> list[str]:
    """What went in, what came out, and what was dropped by reason."""
    read = [f"{counts[name]:,}" for name in ("files", "file_bytes", "records", "text_bytes")]
    lines = table(["files", "bytes", "documents", "bytes of text"], [read])
    if dropped:
        lines += [
            "",
            *table(["dropped", "because"], [[f"{count:,}", kind] for kind, count in dropped.items()]),
        ]
    return lines


def _tell_skipped(out: Output, skipped: list[dict[str, Any]]) -> None:
    for entry in skipped[:_SKIPPED_LINES]:
        out.say(f"skipped {entry['path']}: {entry['reason']}")
    if len(skipped) > _SKIPPED_LINES:
        out.say(
            f"skipped {len(skipped) - _SKIPPED_LINES} more: the manifest and --json list all {len(skipped)}"
        )


def _corpus(name: str) -> dict[str, Any]:
    try:
        corpus = corpora[name]()
    except CodexError as error:
        return {"name": name, "about": f"not on this machine: {error}", "roots": []}
    return {"name": name, "about": corpus.about, "roots": [str(root) for root in corpus.roots]}


def _holds(entry: dict[str, Any]) -> str:
    if entry["state"] != "whole":
        return str(entry["state"])
    counts = entry["counts"]
    match entry["stage"]:
        case "records":
            return f"{counts['records']:,} records, {counts['skipped']:,} files skipped"
        case "tokenizer":
            return f"{counts['vocabulary_size']:,} tokens in the vocabulary"
        case stage:
            what = "records" if stage == "splits" else "tokens"
            sides = [counts[name] for side in SPLITS if (name := f"{side}_{what}") in counts]
            return f"{' + '.join(f'{number:,}' for number in sides)} {what}"
