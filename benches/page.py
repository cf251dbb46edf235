"""The table of a bench session: on the terminal always, as a page of `docs/performance/` when asked."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from benches.harness import TABLES, Result

__all__ = ["describe_machine", "render_page", "render_rows"]


def render_rows(results: list[Result]) -> list[str]:
    """A Markdown table, a row for each result."""
    rows = ["| gate | against | measured (quartiles) | bar | fails above | |", "|---|---|---|---|---|---|"]
    for result in results:
        low, median, high = result.quartiles
        extra = ", ".join(f"{name} {value}" for name, value in result.extra.items())
        rows.append(
            f"| `{result.gate.name}` | {result.gate.peer} | **{median:g}** ({low:g} to {high:g}) "
            f"| {result.gate.bar:g}{'' if median <= result.gate.bar else ', missed'} | {result.gate.at_most:g} | {extra} |"
        )
    return rows


def describe_machine() -> list[str]:
    """Processor, cores, load, versions and commit: what a figure is worth nothing without."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False
    )
    peers = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "typer")
    return [
        f"- machine: {model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end",
        f"- commit: {commit.stdout.strip() or 'unknown'}",
        f"- CPython {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in peers),
    ]


def render_page(results: list[Result]) -> str:
    """The whole page; the command that makes it stands on top."""
    return "\n".join(
        [
            "# Measured",
            "",
            "Made by `make bench`; do not edit. A figure is our seconds over the peer's in interleaved pairs of one",
            "run, so below 1 is faster than the peer; a row without a peer says what it is a share of. Quartiles over",
            "the pairs stand in brackets.",
            "",
            *describe_machine(),
            "",
            *render_rows(results),
            "",
            *TABLES,
        ]
    )
