"""`codex data list`: which corpora there are, and what is prepared in the cache."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from codex.cli.data.place import commands
from codex.cli.extras import missing_extra
from codex.cli.output import Output, table
from codex.data.contents import describe, stage_folders
from codex.data.corpora import corpora, corpus_kind
from codex.data.split import SPLITS
from codex.data.store import cache_folder
from codex.errors import CodexError

__all__ = ["list_"]


@commands.command("list")
def list_(out: Output) -> None:
    """List the corpora, and what is prepared in the cache.

    Manifests are read, files are not: `codex data verify` reads everything.
    """
    known = [_corpus(name) for name in corpora.names()]
    cache = cache_folder()
    prepared = [describe(stage, folder) for stage, folder in stage_folders(cache)]
    lines = ["corpora", *table(["name", "reads", "what it is"], [_row(entry) for entry in known])]
    lines += [f"{entry['name']} cannot be read: {entry['unusable']}" for entry in known if entry["unusable"]]
    lines += [""]
    if prepared:
        rows = [
            [e["stage"], e["key"][:12], (e["made"] or "")[:16].replace("T", " "), _holds(e)] for e in prepared
        ]
        lines += [f"prepared in {cache}", *table(["stage", "key", "made (UTC)", "holds"], rows)]
    else:
        lines += [f"nothing is prepared in {cache}"]
    out.result("data.list", {"corpora": known, "cache": cache, "prepared": prepared}, text=lines)


def _corpus(name: str) -> dict[str, Any]:
    """What is said of a corpus: `unusable` is why it cannot be read here, or None."""
    facts: dict[str, Any] = {"name": name, "about": None, "takes_paths": None, "roots": [], "unusable": None}
    try:
        kind = corpus_kind(name)
        facts |= {"about": kind.about, "takes_paths": kind.takes_paths}
        if kind.needs and find_spec(kind.needs) is None and (missing := missing_extra(kind.needs)):
            facts["unusable"] = f"{missing}: {missing.hint}"
        elif not kind.takes_paths:
            facts["roots"] = [str(root) for root in kind.find(()).roots]
    except CodexError as error:
        facts["unusable"] = str(error)
    return facts


def _row(entry: dict[str, Any]) -> list[str]:
    reads = {True: "places", False: "itself", None: "?"}[entry["takes_paths"]]
    return [entry["name"], reads, entry["about"] or "?"]


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
