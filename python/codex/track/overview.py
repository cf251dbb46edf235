"""What a run folder says about its run, read without disturbing whoever owns it."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Any

from codex.config import load
from codex.errors import MissingDataError
from codex.track.rows import read_rows
from codex.track.run import find_runs

__all__ = ["describe_run", "find_run"]


def find_run(name: str, directory: Path) -> Path:
    """The folder of a run: `name` in `directory`, else `name` as a path.

    Raises:
        MissingDataError: if neither is a run folder; the message lists the runs there are.
    """
    for folder in (directory / name, Path(name)):
        if (folder / "config.resolved.yaml").is_file():
            return folder
    names = ", ".join(f"`{folder.name}`" for folder in find_runs(directory))
    raise MissingDataError(
        f"there is no run `{name}` in `{directory}`",
        hint=f"there is {names}" if names else "start one with `codex train`",
    )


def describe_run(folder: Path) -> dict[str, Any]:
    """Name, state, steps, the newest metrics of each split, and the best held-out bits per byte.

    Raises:
        DamageError: if the journal of the run cannot be read.
    """
    config = load(folder / "config.resolved.yaml").config
    events = _rows(folder / "log.ndjson")
    newest: dict[str, dict[str, Any]] = {}
    step = 0
    best: float | None = None
    for row in _rows(folder / "metrics.ndjson"):
        step = max(step, row["step"])
        newest[row["split"]] = {"step": row["step"], **row["metrics"]}
        measured = row["metrics"].get("bits_per_byte")
        if row["split"] == "held_out" and isinstance(measured, int | float):
            best = measured if best is None else min(best, measured)
    return {
        "name": folder.name,
        "folder": folder,
        "state": _state(folder, events),
        "started": events[0]["time"] if events else None,
        "changed": events[-1]["time"] if events else None,
        "step": step,
        "max_steps": config.train.max_steps,
        "config": config.digest,
        "newest": newest,
        "best_held_out_bits_per_byte": best,
        "last_event": events[-1]["message"] if events else None,
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    return list(read_rows(path)) if path.exists() else []


def _state(folder: Path, events: list[dict[str, Any]]) -> str:
    """`finished`, `stopped`, `running`, `killed`, or `elsewhere` if another host owns it and has not let go."""
    last = next((row["event"] for row in reversed(events) if row["event"] in ENDS | BEGINS), None)
    if last in ENDS:
        return str(last)
    try:
        owner = json.loads((folder / "run.lock").read_bytes())
        host, process = str(owner["host"]), int(owner["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return "killed"
    if host != platform.node():
        return "elsewhere"
    return "running" if _is_alive(process) else "killed"


BEGINS = frozenset({"opened"})
ENDS = frozenset({"finished", "stopped"})


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
