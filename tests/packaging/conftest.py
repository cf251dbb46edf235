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
    # The wheel is built from the unpacked sdist; with one target folder, what the crates stand on is compiled once.
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    words = ["build", "--profile", "release", "--locked", "--sdist", "--strip", "--quiet", "--out", str(out)]
    environment = {**os.environ, "NO_COLOR": "1", "CARGO_TARGET_DIR": target}
    subprocess.run([sys.executable, "-m", "maturin", *words], cwd=ROOT, check=True, env=environment)
    return out


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def sdist(built: Path) -> Path:
    (found,) = built.glob("*.tar.gz")
    return found
