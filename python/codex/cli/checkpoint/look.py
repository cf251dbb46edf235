"""`codex checkpoint list|verify|diff`: what there is, whether it is what was saved, how two differ."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from codex.checkpoint import Skipped, Summary
from codex.checkpoint import verify as check
from codex.checkpoint.diff import Difference, TensorChange
from codex.checkpoint.diff import diff as compare
from codex.checkpoint.pin import is_pinned
from codex.checkpoint.rotate import HELD_OUT_METRIC
from codex.cli.checkpoint.place import (
    Highest,
    Metric,
    Place,
    commands,
    existing,
    find_all,
    find_one,
    is_checkpoint,
    size,
)
from codex.cli.output import Output, table
from codex.errors import DamageError, DifferenceError
from codex.file import read_manifest, verify_folder

__all__ = ["diff", "list_", "verify"]

#: Characters of a value that a person is shown.
_SHOWN = 40


@commands.command("list")
def list_(out: Output, path: Place, metric: Metric = HELD_OUT_METRIC, highest: Highest = False) -> None:
    """List checkpoints, newest first: manifests and sizes are checked, tensors are not read.

    Args:
        path: where they are; exit 4 if one of them does not open.
        metric: what says which is best.
        highest: whether a high value of it is a good one.
    """
    good, damaged = find_all(path)
    measured = [each for each in good if metric in each.metrics]
    best = (max if highest else min)(measured, key=lambda each: each.metrics[metric], default=None)
    is_folder = not is_checkpoint(existing(path))
    rows = [
        {
            **_facts(each),
            "is_latest": is_folder and each is good[0],
            "is_best": is_folder and each is best,
            "is_pinned": is_pinned(each.path),
        }
        for each in good
    ]
    _report(out, "checkpoint_list", rows, damaged)


@commands.command()
def verify(out: Output, path: Place) -> None:
    """Read every byte of one checkpoint, or of all in a folder, and compare it with what was saved.

    Any other folder that codex wrote a manifest into is verified by that: an export, prepared data.

    Args:
        path: where they are; exit 4 if one of them is damaged.
    """
    place = existing(path)
    if is_checkpoint(place) and _kind(place) != "checkpoint":
        _verify_other(out, place)
        return
    opened, damaged = find_all(path)
    total = sum(each.bytes for each in opened)
    start, before, good = time.perf_counter(), 0, []
    for each in opened:
        try:
            good.append(check(each.path, progress=_Rate(out, start, before, total)))
        except DamageError as error:
            damaged.append(Skipped(each.path, str(error)))
        before += each.bytes
    _report(out, "checkpoint_verify", [_facts(each) for each in good], damaged)


@commands.command()
def diff(
    out: Output,
    left: Annotated[Path, typer.Argument(metavar="A", help="A checkpoint; of a run, its newest.")],
    right: Annotated[Path, typer.Argument(metavar="B", help="The one to hold against it.")],
) -> None:
    """Show what two checkpoints hold differently: keys of configuration and state, files, tensors.

    Digests are compared first: where they are equal, no tensor is read. Exit 1 if anything differs.
    """
    sides = find_one(out, left), find_one(out, right)
    found = compare(*sides, progress=lambda done, total: out.step("compare", done, total))
    facts = {
        "a": sides[0],
        "b": sides[1],
        "equal": not found,
        "keys": [vars(each) for each in found.keys],
        "files": [vars(each) for each in found.files],
        "tensors": [vars(each) for each in found.tensors],
        "common_tensors": found.common,
    }
    out.result("checkpoint_diff", facts, text=_lines(found))
    if found:
        raise typer.Exit(DifferenceError.exit_code)


class _Rate:
    """Progress in bytes over several checkpoints, and how many of them go by in a second."""

    def __init__(self, out: Output, start: float, before: int, total: int) -> None:
        self._out, self._start, self._before, self._total = out, start, before, total

    def __call__(self, done: int, total: int) -> None:
        done += self._before
        rate = done / max(time.perf_counter() - self._start, 1e-9)
        self._out.step("verify", done, self._total, note=f"{size(rate)}/s")


def _kind(place: Path) -> str:
    """What the manifest in `place` is of; one that is damaged, or not there, is left to who opens it."""
    try:
        return str(read_manifest(place).get("kind"))
    except (DamageError, FileNotFoundError):
        return "checkpoint"


def _verify_other(out: Output, place: Path) -> None:
    manifest = verify_folder(place)
    count, total = len(manifest["files"]), sum(entry["bytes"] for entry in manifest["files"])
    facts = {"path": place, "kind_of_folder": manifest["kind"], "files": count, "bytes": total}
    text = f"{place}: {manifest['kind']}, {count} files, {size(total)}, all as they were written"
    out.result("folder_verify", facts, text=text)


def _facts(each: Summary) -> dict[str, Any]:
    return {name: getattr(each, name) for name in ("path", "step", "bytes", "tensors", "metrics")}


def _report(out: Output, kind: str, rows: list[dict[str, Any]], damaged: list[Skipped]) -> None:
    """Print both; bad news is exit 4."""
    metrics = sorted({name for row in rows for name in row["metrics"]})
    marks = ["marks"] if kind == "checkpoint_list" else []
    header = ["step", "size", "tensors", *metrics, *marks, "path"]
    text = table(header, [_row(row, metrics, marks) for row in rows])
    facts = {"checkpoints": rows, "damaged": [each._asdict() for each in damaged]}
    out.result(kind, facts, text=text if rows else [])
    for each in damaged:
        out.warn(each.reason)
    if damaged:
        raise typer.Exit(DamageError.exit_code)


def _row(row: dict[str, Any], metrics: Sequence[str], marks: Sequence[str]) -> list[object]:
    measured = [row["metrics"].get(name, "-") for name in metrics]
    marked = [mark for mark in ("latest", "best", "pinned") if row.get(f"is_{mark}")]
    marked = [" ".join(marked) or "-"] if marks else []
    return [row["step"], size(row["bytes"]), row["tensors"], *measured, *marked, row["path"]]


def _lines(found: Difference) -> list[str]:
    """Two tables, one of keys and files, one of tensors; or that nothing differs."""
    if not found:
        return [
            f"equal by digest: {found.common} tensors, and every key and file; `codex checkpoint verify` reads the bytes"
        ]
    named = [[each.name, _short(each.before), _short(each.after)] for each in (*found.keys, *found.files)]
    lines = table(["key or file", "A", "B"], named) if named else []
    if found.tensors:
        tensors = [[each.file, each.name, _change(each)] for each in found.tensors]
        lines += [""] * bool(lines) + table(["file", "tensor", "change"], tensors)
    changed = sum(each.before is not None and each.after is not None for each in found.tensors)
    return [*lines, "", f"{changed} of {found.common} common tensors differ"]


def _change(each: TensorChange) -> str:
    if each.before is None or each.after is None:
        return f"only in {'A' if each.after is None else 'B'}: {each.before or each.after}"
    if each.differing is None:
        return f"{each.before} -> {each.after}"
    return f"{each.differing} of {each.elements} values differ, by at most {each.largest:.6g}"


def _short(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
