"""What a person waits for before codex says its first word."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from benches.harness import gate

GATE = {"--help": "cli.help", "version": "cli.version"}


def run(*words: str) -> int:
    return subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True).returncode


@pytest.mark.parametrize("command", GATE)
def bench_start(benchmark: Any, command: str) -> None:
    def ours() -> int:
        return run("-m", "codex", command)

    def peer() -> int:
        return run("-c", "import typer")

    gate(benchmark, GATE[command], ours, peer, rounds=15)
