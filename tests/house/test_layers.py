"""The house keeps its own rules: imports go down, start-up is light, locks name no host, pages fit the tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def loaded_by(code: str) -> set[str]:
    """Names of the modules that `code` leaves in `sys.modules` of a fresh interpreter."""
    script = f"{code}\nimport sys; print(*sorted(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(ran.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import codex",
        "import sys; sys.argv = ['codex', '--help']\nfrom codex.cli.app import main\ntry: main()\nexcept SystemExit: pass",
        "import sys; sys.argv = ['codex', 'version']\nfrom codex.cli.app import main\ntry: main()\nexcept SystemExit: pass",
    ],
)
def test_start_up_imports_neither_torch_nor_transformers(code: str) -> None:
    assert not loaded_by(code) & {"torch", "transformers", "mlflow", "numpy", "pydantic"}


def test_import_turns_telemetry_off_unless_the_user_set_it() -> None:
    names = (
        "MLFLOW_DISABLE_TELEMETRY",
        "HF_HUB_OFFLINE",
        "HF_HUB_DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
        "WANDB_MODE",
    )
    code = f"import codex, os; print(*(os.environ[n] for n in {names}))"
    environment = {key: value for key, value in os.environ.items() if key not in names}
    switched = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert switched.split() == ["true", "1", "1", "1", "offline"]
    kept = subprocess.check_output(
        [sys.executable, "-c", code], text=True, env={**environment, "WANDB_MODE": "online"}
    )
    assert kept.split()[-1] == "online"


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_locks_name_no_host(lock: Path) -> None:
    assert "://" not in lock.read_text()


@pytest.mark.parametrize("name", ["core", "run", "dev"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.txt").read_text().strip())
    pinned = [block for block in blocks if "==" in block.splitlines()[0]]
    assert len(pinned) > 10
    assert all("--hash=sha256:" in block for block in pinned)


def test_cargo_lock_names_only_the_public_index() -> None:
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    assert {package.get("source") for package in packages} == {
        None,
        "registry+https://github.com/rust-lang/crates.io-index",
    }


def test_every_crate_keeps_the_workspace_lints() -> None:
    crates = sorted((ROOT / "rust").glob("*/Cargo.toml"))
    assert crates
    for crate in crates:
        assert tomllib.loads(crate.read_text())["lints"] == {"workspace": True}, crate


def test_stages_share_one_word() -> None:
    """A crate, a door, tests and a page go by the same word."""
    for crate in (ROOT / "rust").iterdir():
        stage = crate.name.removeprefix("codex-")
        if stage != "py":
            assert (ROOT / "tests" / stage).is_dir(), stage
            assert (ROOT / "docs" / f"{stage}.md").is_file(), stage


def test_no_source_path_names_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    homes = re.compile(r"/(?:home/[a-z]+|Users/[a-z]+|root)/")
    found = [
        name
        for name in listed.split("\0")
        if name and not name.endswith(".lock") and (ROOT / name).is_file()
        if homes.search((ROOT / name).read_text(errors="replace"))
    ]
    assert found == []
