"""What every pytest run here shares: `--benchmark`, the table of gates, and what is left out for want of an extra."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))  # `benches.harness` for the benches

# What brings a package that not every environment has; `nox -s core` has none of them.
BROUGHT_BY = {
    "torch": "the extra `train`",
    "psutil": "the extra `train`",
    "jinja2": "the extra `train`",
    "mlflow": "the extra `mlflow`",
    "fsspec": "the extra `storage`",
    "s3fs": "the extra `storage`",
    "pyarrow": "the extra `parquet`",
    "ray": "the extra `ray`",
    "datasets": "requirements/dev.txt",
    "rfc8785": "requirements/dev.txt",
    "safetensors": "requirements/dev.txt",
    "tiktoken": "requirements/dev.txt",
    "tokenizers": "requirements/dev.txt",
    "transformers": "requirements/dev.txt",
}
MISSING = {name: brought for name, brought in BROUGHT_BY.items() if find_spec(name) is None}
# Folders that need a package through and through, by their name.
NEEDED_BY = {
    **dict.fromkeys(["adapt", "checkpoint", "evaluate", "generate", "kernels", "models", "train"], "torch"),
    "chat": "jinja2",
}
LEFT_OUT: list[str] = []


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what cannot be imported without an extra; the summary names it."""
    reason = _needs(collection_path) if MISSING else None
    if reason is None:
        return None
    LEFT_OUT.append(f"{collection_path.relative_to(ROOT)}: needs {reason}")
    return True


def _needs(path: Path) -> str | None:
    """What has to be installed for `path` to be collected, or None if it can be."""
    if path.is_dir():
        if NEEDED_BY.get(path.name) in MISSING and path.parent != ROOT:
            return MISSING[NEEDED_BY[path.name]]
        path = path / "conftest.py"
    if path.suffix != ".py" or not path.is_file() or path == ROOT / "conftest.py":
        return None
    imported = set(re.findall(r"^(?:import|from) (\w+)", path.read_text(), re.MULTILINE)) & MISSING.keys()
    return " and ".join(sorted({MISSING[name] for name in imported})) or None


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
    if LEFT_OUT:
        terminalreporter.section("left out")
        for line in sorted(LEFT_OUT):
            terminalreporter.write_line(line)
    if not config.getoption("--benchmark"):
        return
    from benches.harness import RESULTS
    from benches.page import render_page, render_rows

    terminalreporter.section("gates: our seconds over the peer's")
    for row in render_rows(RESULTS):
        terminalreporter.write_line(row)
    if page := config.getoption("--performance-page"):
        Path(page).write_text(render_page(RESULTS))
