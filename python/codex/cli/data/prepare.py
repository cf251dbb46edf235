"""`codex data ingest|split|tokenize`: raw files to records, splits and token shards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from codex.cli.command import ConfigName
from codex.cli.data.place import CorpusName, FolderAndKeys, PlacesAndKeys, commands, config_of, divided
from codex.cli.output import Output, table
from codex.config.schema import Config
from codex.data.prepare import prepare_shard, prepare_until, taken_from
from codex.data.store import Place, cache_folder
from codex.errors import UsageError

__all__ = ["ingest", "split", "tokenize"]

_SKIPPED_LINES = 20

OutFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write to DIR instead of the cache.", show_default=False),
]


@commands.command()
def ingest(
    out: Output,
    config: ConfigName = None,
    corpus: CorpusName = None,
    to: OutFolder = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Read the I-th of N shards alone; once all are read, the same without it is quick.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Read on this machine, or on all of a Ray cluster that share its folders."),
    ] = "local",
    words: PlacesAndKeys = None,
) -> None:
    """Read a corpus into records: one for each text, exact duplicates dropped, in the order of their ids."""
    places, keys = divided(words)
    asked = config_of(config, corpus, places, keys)
    place = Place(cache_folder(), to)
    if shard is not None and engine == "ray":
        raise UsageError(
            "`--shard` reads one shard and `--engine ray` spreads them all, expected one of the two"
        )
    if shard is not None:
        _ingest_shard(out, asked, place, shard)
        return
    if engine == "ray":
        from codex.data.cluster import prepare_on_ray

        prepare_on_ray(asked, place=place, progress=out)
    _prepare(out, "ingest", "records", asked, place)


@commands.command()
def split(
    out: Output,
    config: ConfigName = None,
    corpus: CorpusName = None,
    to: OutFolder = None,
    words: FolderAndKeys = None,
) -> None:
    """Divide the records into train, validation and test, near duplicates together; ingests first what is missing."""
    _prepare_on(out, "split", "splits", config, corpus, to, words)


@commands.command()
def tokenize(
    out: Output,
    config: ConfigName = None,
    corpus: CorpusName = None,
    to: OutFolder = None,
    words: FolderAndKeys = None,
) -> None:
    """Train the tokenizer on the train split and write token shards; prepares first what is missing."""
    _prepare_on(out, "tokenize", "shards", config, corpus, to, words)


def _ingest_shard(out: Output, config: Config, place: Place, shard: str) -> None:
    if not (found := re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", shard)):
        raise UsageError(f"`--shard` is `{shard}`, expected the shard and how many there are, such as 1/4")
    number, count = int(found[1]), int(found[2])
    made = prepare_shard(config, number, count, place=place, progress=out)
    lines = [f"shard {shard}  {place.units()}", "", *_totals(made["counts"], made["dropped"])]
    out.result("data.ingest", {"shard": shard, "folder": place.units(), **made}, text=lines)


def _prepare_on(
    out: Output,
    command: str,
    last: str,
    config: str | None,
    corpus: str | None,
    to: Path | None,
    words: list[str] | None,
) -> None:
    """From the corpus, or from what is in the one folder that `words` name."""
    places, keys = divided(words)
    if len(places) > 1 or (places and corpus is not None):
        what = f"and the corpus `{corpus}`" if corpus is not None else f"and `{places[1]}`"
        raise UsageError(
            f"`codex data {command}` is given the folder `{places[0]}` {what}, expected one of them",
            hint="raw files are read by `codex data ingest PLACE... --out DIR`",
        )
    home = Path(places[0]) if places else None
    place = Place(cache_folder(), to or home)
    _prepare(out, command, last, config_of(config, corpus, (), keys), place, taken=home)


def _prepare(
    out: Output, command: str, last: str, config: Config, place: Place, taken: Path | None = None
) -> None:
    stages = prepare_until(
        last,
        config,
        place=place,
        progress=out,
        taken=None if taken is None else taken_from(taken, last),
    )
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
