"""What every pytest run here shares: `--benchmark`, and the table of gates at the end of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))  # `benches.harness` for the benches


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("codex")
    group.addoption(
        "--benchmark", action="store_true", help="run the benches and their gates instead of the tests"
    )
    group.addoption(
        "--performance-page", metavar="FILE", help="with --benchmark: write the table of gates there"
    )
    group.addoption(
        "--wheels", metavar="DIR", help="test the wheel and the sdist of this folder instead of building them"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--benchmark"):
        config.option.benchmark_only = True
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args[:] = [str(ROOT / "benches")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not config.getoption("--benchmark"):
        return
    from benches.harness import RESULTS
    from benches.page import render_page, render_rows

    terminalreporter.section("gates: our seconds over the peer's")
    for row in render_rows(RESULTS):
        terminalreporter.write_line(row)
    if page := config.getoption("--performance-page"):
        Path(page).write_text(render_page(RESULTS))
