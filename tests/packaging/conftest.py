"""Where the wheel and the sdist under test come from: `--wheels DIR`, or a build with the test profile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one wheel and one sdist."""
    if given := request.config.getoption("--wheels"):
        return ROOT / given
    out = tmp_path_factory.mktemp("dist")
    maturin = [
        sys.executable,
        "-m",
        "maturin",
        "build",
        "--profile",
        "release",
        "--locked",
        "--sdist",
        "--quiet",
    ]
    subprocess.run(
        [*maturin, "--strip", "--out", str(out)], cwd=ROOT, check=True, env={**os.environ, "NO_COLOR": "1"}
    )
    return out


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(built: Path) -> Path:
    (found,) = built.glob("*.tar.gz")
    return found
