"""The machine and the software a run ran on, without importing any of it and without anything secret.

Variables are taken by name from a list, never wholesale: the environment is where tokens and passwords live.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from codex import _core
from codex.track.rows import now

__all__ = ["describe_environment"]

PACKAGES = ("numpy", "pydantic", "PyYAML", "typer", "torch", "triton", "psutil", "mlflow-skinny")
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "CODEX_CACHE_DIR",
    "LANG",
    "LC_ALL",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "PYTHONHASHSEED",
)


def describe_environment() -> dict[str, Any]:
    """Versions, git, hardware and the variables that change what a run does."""
    return {
        "schema_version": 1,
        "kind": "environment",
        "time": now(),
        "arguments": sys.argv[1:],
        "codex": {"version": _core.version(), "commit": _core.build_commit() or None},
        "python": {"version": platform.python_version(), "implementation": platform.python_implementation()},
        "packages": {name: _version(name) for name in PACKAGES},
        "git": _git(),
        "hardware": _hardware(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git() -> dict[str, Any] | None:
    """Commit and state of the working directory; None where there is no repository or no git."""
    commit = _ask_git("rev-parse", "HEAD")
    if commit is None:
        return None
    changes = _ask_git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "has_changes": None if changes is None else bool(changes)}


def _ask_git(*question: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    # A repository can name a program as its file-system monitor; nothing of it shall run.
    command = [git, "-c", "core.fsmonitor=false", "--no-optional-locks", *question]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _hardware() -> dict[str, Any]:
    return {
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpus": _gpus(),
    }


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def _gpus() -> list[str]:
    """Names of the devices torch sees, if this process uses torch; asking is not worth importing it."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return []
    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
