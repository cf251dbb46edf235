"""`codex doctor`: a line for each thing, a way out for each thing that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.cli import doctor
from codex.cli.app import run as codex_in_process
from codex.cli.extras import EXTRAS

Codex = Callable[..., "subprocess.CompletedProcess[str]"]


def test_a_sound_machine_is_well(codex: Codex, tmp_path: Path) -> None:
    pytest.importorskip("psutil", reason="needs the extra `train`")
    answer = codex("doctor", "--json")
    facts = json.loads(answer.stdout)
    statuses = {check["name"]: check["status"] for check in facts["checks"]}
    assert (answer.returncode, facts["kind"], facts["is_well"]) == (0, "doctor", True)
    assert list(statuses) == [
        "python",
        "core",
        "extra train",
        "extra hf",
        "extra mlflow",
        "extra parquet",
        "extra storage",
        "extra ray",
        "device",
        "threads",
        "memory",
        "run folder",
        "cache",
        "MLFLOW_DISABLE_TELEMETRY",
        "HF_HUB_OFFLINE",
        "HF_HUB_DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
        "WANDB_MODE",
    ]
    assert statuses["core"] == statuses["extra train"] == "ok"
    assert all(check["fix"] for check in facts["checks"] if check["status"] != "ok")
    assert list(tmp_path.iterdir()) == [], "the probes are swept away"


def _checks(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, dict[str, str]]:
    assert codex_in_process(["doctor", "--json"]) == code
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking torch takes seconds; what it says is tested once, above."""
    monkeypatch.setattr(
        doctor, "CHECKS", tuple(check for check in doctor.CHECKS if check is not doctor._device)
    )


def test_a_folder_that_cannot_be_written_fails(
    without_torch: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CODEX_CACHE_DIR", str(tmp_path / "file" / "cache"))
    cache = _checks(capsys, 5)["cache"]
    assert cache["status"] == "fail"
    assert cache["found"].startswith(f"`{tmp_path / 'file' / 'cache'}` cannot be written: ")
    assert cache["fix"] == "set CODEX_CACHE_DIR to another place"


def test_the_report_ends_with_the_count(
    without_torch: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("psutil", reason="needs the extra `train`")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setitem(sys.modules, "alembic", None)
    monkeypatch.setitem(sys.modules, "codex._core", None)
    monkeypatch.delattr("codex._core")
    monkeypatch.setattr(doctor, "LOW_BYTES", 0)
    monkeypatch.setattr(doctor, "CHECKS", (doctor._core, doctor._extras, doctor._memory, doctor._offline))
    assert codex_in_process(["doctor"]) == 5
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("fail  core: ")
    assert lines[1] == "      fix: pip install --force-reinstall --no-deps codex-lm"
    assert lines[2:4] == [
        "ok    extra train: torch, psutil, jinja2",
        "ok    extra hf: transformers, tokenizers, peft",
    ]
    assert lines[4:6] == ["warn  extra mlflow: without alembic", '      fix: pip install "codex-lm[mlflow]"']
    assert lines[-4:] == [
        "warn  WANDB_MODE: is 'online', set by you",
        "      fix: unset it: codex then sets it to offline",
        "",
        "13 checks, 2 warn, 1 fail",
    ]


def test_low_disk_and_memory_are_warnings(
    without_torch: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "LOW_BYTES", 1 << 62)
    checks = _checks(capsys, 0)
    assert [checks[name]["status"] for name in ("memory", "run folder", "cache")] == ["warn"] * 3
    assert all(checks[name]["fix"] for name in ("memory", "run folder", "cache"))


def test_the_table_of_extras_is_the_one_of_the_package() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    names = {
        extra: tuple(line.split(">")[0].removesuffix("-skinny") for line in lines)
        for extra, lines in extras.items()
        if extra != "all"
    }
    assert names == EXTRAS
