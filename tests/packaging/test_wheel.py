"""One abi3 wheel and one sdist: what is in them, and that the wheel works where nothing else of ours is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from codex.cli.extras import EXTRAS

ROOT = Path(__file__).parents[2]


def tracked(*folders: str) -> set[str]:
    """Files git knows below `folders`, through neither link."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name for name in listed.stdout.split("\0") if name and not (ROOT / name).is_symlink()}


def carried(suffixes: tuple[str, ...]) -> set[str]:
    """What the wheel must hold of the package, `kernels/` and `configs/`, by its name inside the wheel."""
    names = {name.removeprefix("python/") for name in tracked("python/codex")}
    return names | {f"codex/{name}" for name in tracked("kernels", "configs") if name.endswith(suffixes)}


def test_wheel_holds_the_package_the_kernels_and_the_configs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside - {"codex/_core.abi3.so"} == carried((".py", ".md", ".yaml"))
    assert "codex/_core.abi3.so" in inside
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any("sbom" in name for name in names)


def test_wheel_is_abi3_and_names_its_extras(wheel: Path) -> None:
    assert wheel.name.startswith("codex_lm-")
    assert "-cp311-abi3-" in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata.get_all("Provides-Extra", [])) == {*EXTRAS, "all"}


@pytest.mark.parametrize(
    "words",
    [["-m", "abi3audit", "--strict"], ["-m", "check_wheel_contents", "--ignore", "W002,W004"]],
    ids=["abi3audit", "contents"],
)
def test_wheel_passes_the_audits(wheel: Path, words: list[str]) -> None:
    pytest.importorskip(words[1], reason="needs requirements/dev.txt")
    ran = subprocess.run([sys.executable, *words, str(wheel)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_sdist_holds_all_that_a_build_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
        links = [member.name for member in archive.getmembers() if member.issym() or member.islnk()]
    assert links == [], "a link in an sdist is a missing file elsewhere"
    fuzzing = tracked("rust/codex-text/fuzz")  # a package of its own, outside of the workspace
    wanted = {"Cargo.lock", "Cargo.toml", "pyproject.toml", "README.md", "LICENSE", *tracked("rust")}
    assert wanted - fuzzing - names == set()
    assert {f"python/{name}" for name in carried((".py", ".md", ".yaml"))} - names == set()


class Elsewhere:
    """A fresh virtual environment in a folder of its own, with the wheel installed at the locked versions."""

    def __init__(self, place: Path, wheel: Path, extra: str, lock: str) -> None:
        self.place = place
        place.mkdir()
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(place / "venv")], check=True)
        install = [*uv, "pip", "install", "--quiet", "--python", str(place / "venv" / "bin" / "python")]
        constraint = str(ROOT / "requirements" / lock)
        subprocess.run(
            [*install, "--constraint", constraint, f"codex-lm{extra} @ {wheel.as_uri()}"], check=True
        )

    def codex(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs the installed command, with nothing of this checkout in sight."""
        return subprocess.run(
            [str(self.place / "venv" / "bin" / "codex"), *words],
            cwd=self.place,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.place),
                "CODEX_CACHE_DIR": str(self.place / "cache"),
            },
            capture_output=True,
            text=True,
            check=False,
        )


def test_the_core_alone_works_and_says_what_training_needs(wheel: Path, tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path / "a place with spaces é", wheel, "", "core.txt")
    assert elsewhere.codex("--help").returncode == 0
    assert json.loads(elsewhere.codex("version", "--json").stdout)["codex"] == wheel.name.split("-")[1]
    assert elsewhere.codex("config", "validate", "base").returncode == 0
    bare = elsewhere.codex("train")
    assert bare.returncode == 5, bare.stderr
    assert 'pip install "codex-lm[train]"' in bare.stderr
    assert not (elsewhere.place / "runs").exists()


def test_the_core_install_stays_below_90_megabytes(wheel: Path, tmp_path: Path) -> None:
    place = Elsewhere(tmp_path / "core", wheel, "", "core.txt").place
    packages = place / "venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    assert sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) < 90e6


def test_training_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path / "train", wheel, "[train]", "run.txt")
    ran = elsewhere.codex("train", "--config", "smoke")
    assert ran.returncode == 0, ran.stderr
    verified = elsewhere.codex("checkpoint", "verify", "runs/smoke")
    assert verified.returncode == 0, verified.stderr
