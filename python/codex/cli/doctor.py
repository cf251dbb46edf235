"""`codex doctor`: whether this machine can do what codex needs, and how to mend what it cannot."""

from __future__ import annotations

import importlib.util
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from codex.cli.command import Commands
from codex.cli.extras import EXTRAS
from codex.cli.output import Output
from codex.errors import CodexError

__all__ = ["commands"]

commands = Commands()

LOW_BYTES = 2 << 30  # less disk or memory than this is worth a warning
SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "WANDB_MODE": "offline",
}


@dataclass(frozen=True)
class Check:
    """One line of the report; `fix` is what to do about a line that is not `ok`."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    fix: str | None = None


@commands.command()
def doctor(out: Output) -> None:
    """Check that this machine can do what codex needs.

    Exit code 0 if it can, 5 if something is in the way; a warning is no failure.
    """
    checks = [check for examine in CHECKS for check in examine()]
    lines = []
    for check in checks:
        lines.append(f"{check.status:4}  {check.name}: {check.found}")
        if check.fix:
            lines.append(f"      fix: {check.fix}")
    failed = sum(check.status == "fail" for check in checks)
    warned = sum(check.status == "warn" for check in checks)
    lines += ["", f"{len(checks)} checks, {warned} warn, {failed} fail"]
    out.result("doctor", {"is_well": not failed, "checks": [asdict(check) for check in checks]}, text=lines)
    if failed:
        raise typer.Exit(5)


def _python() -> Iterator[Check]:
    yield Check("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _core() -> Iterator[Check]:
    try:
        from codex import _core as core
    except ImportError as error:
        yield Check("core", "fail", str(error), "pip install --force-reinstall --no-deps codex-lm")
        return
    yield Check("core", "ok", f"codex {core.version()} {core.build_commit()}".rstrip())


def _extras() -> Iterator[Check]:
    for extra, modules in EXTRAS.items():
        absent = [name for name in modules if importlib.util.find_spec(name) is None]
        if absent:
            yield Check(
                f"extra {extra}", "warn", f"without {', '.join(absent)}", f'pip install "codex-lm[{extra}]"'
            )
        else:
            yield Check(f"extra {extra}", "ok", ", ".join(modules))


def _device() -> Iterator[Check]:
    """What torch computes on, and with how many threads; nothing if there is no torch."""
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory
        yield Check("device", "ok", f"{torch.cuda.get_device_name(0)}, {memory / 1e9:.0f} GB")
    else:
        yield Check("device", "ok", f"cpu, torch {torch.__version__} sees no GPU")
    threads, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    if threads > cores:
        yield Check(
            "threads",
            "warn",
            f"{threads} threads on {cores} cores",
            f"unset OMP_NUM_THREADS, or set it to {cores}",
        )
    else:
        yield Check("threads", "ok", f"{threads} threads on {cores} cores")


def _memory() -> Iterator[Check]:
    lines = Path("/proc/meminfo").read_text().splitlines()
    kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    available, total = kibibytes["MemAvailable"] << 10, kibibytes["MemTotal"] << 10
    found = f"{available / 1e9:.1f} GB free of {total / 1e9:.1f} GB"
    if available < LOW_BYTES:
        yield Check("memory", "warn", found, "close other programs, or lower `train.micro_batch_size`")
    else:
        yield Check("memory", "ok", found)


def _folders() -> Iterator[Check]:
    from codex.config import load
    from codex.data.store import cache_folder

    yield _folder("run folder", Path(load().config.run.directory), "set `run.directory` to another place")
    yield _folder("cache", cache_folder(), "set CODEX_CACHE_DIR to another place")


def _folder(name: str, folder: Path, way_out: str) -> Check:
    """Write, sync, rename and read back a file on the disk where `folder` is, or will be."""
    from codex.file import free_bytes, write_atomic

    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    try:
        with tempfile.TemporaryDirectory(dir=place, prefix=".codex-doctor-") as probe:
            write_atomic(Path(probe) / "probe", b"first")
            write_atomic(Path(probe) / "probe", b"second")
            is_kept = (Path(probe) / "probe").read_bytes() == b"second"
        free = free_bytes(place)
    except (CodexError, OSError) as error:
        return Check(name, "fail", f"`{folder}` cannot be written: {error}", way_out)
    if not is_kept:
        return Check(name, "fail", f"`{folder}` does not keep what is renamed in it", way_out)
    found = f"`{folder}` writes, syncs and renames, {free / 1e9:.1f} GB free"
    return Check(name, "warn", found, "free some space") if free < LOW_BYTES else Check(name, "ok", found)


def _offline() -> Iterator[Check]:
    for name, wanted in SWITCHES.items():
        value = os.environ.get(name)
        if value == wanted:
            yield Check(name, "ok", value)
        else:
            yield Check(
                name, "warn", f"is {value!r}, set by you", f"unset it: codex then sets it to {wanted}"
            )


CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _python,
    _core,
    _extras,
    _device,
    _memory,
    _folders,
    _offline,
)
