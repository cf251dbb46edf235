"""Fixtures every stage shares: the command as a stranger runs it, and a cache that is nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no deadline: a busy machine is no fault.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of the person who runs it."""
    monkeypatch.setenv("CODEX_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def codex(tmp_path: Path) -> Codex:
    """Runs `codex ...` as a process of its own in `tmp_path`; the answer is text, both streams apart."""

    def run(
        *words: str,
        environment: Mapping[str, str] | None = None,
        cwd: Path = tmp_path,
        stdin: str = "",
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "codex", *words],
            cwd=cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Codex:
    """As `codex`, in this process, with a cache of the test's own: all but the start of an interpreter."""
    monkeypatch.setenv("CODEX_CACHE_DIR", str(tmp_path / "cache"))

    def ran(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        from codex.cli.app import run

        for name, value in (environment or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        capfd.readouterr()
        code = run(list(words))
        return subprocess.CompletedProcess(words, code, *capfd.readouterr())

    return ran
