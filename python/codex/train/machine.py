"""Where and how to compute: device, precision and threads, chosen by measuring and recorded for the resume.

A type or a number of threads that looks better on paper may be many times slower (bfloat16 on a processor without it, two
threads on a machine that is busy), so each candidate is timed on a product of matrices, and the reason is said. A resumed
run takes what was recorded and measures nothing: another number of threads gives other bits.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from codex.config.schema import Train
from codex.errors import DamageError, DeviceError

__all__ = ["Machine", "choose_machine", "require_device"]

_ROUNDS = 5
# A candidate must be this much faster than the plainer one: a busy machine must not change the choice, and with it the bits.
_MARGIN = 1.1


@dataclass(frozen=True, slots=True)
class Machine:
    """What a run computes on. Equal machines, data and configuration give equal bits."""

    device: str
    """`cpu` or `cuda`."""
    precision: str
    """`fp32` or `bf16`: what matrix products are done in; weights are always fp32."""
    threads: int
    """Of the processor."""
    capability: str
    """The instruction set or chip the kernels are compiled for."""

    def as_state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Machine:
        """What `as_state` gave.

        Raises:
            DamageError: if `state` is something else.
        """
        wanted = {part.name: state.get(part.name) for part in fields(cls)}
        if not (
            isinstance(wanted.pop("threads"), int)
            and all(isinstance(value, str) for value in wanted.values())
        ):
            raise DamageError(
                f"the record of the machine is {dict(state)}, expected {[f.name for f in fields(cls)]}"
            )
        return cls(**{part.name: state[part.name] for part in fields(cls)})

    @classmethod
    def read(cls, path: Path) -> Machine:
        """What was kept in the file `path`.

        Raises:
            DamageError: if it holds something else.
        """
        try:
            state = json.loads(path.read_bytes())
        except ValueError:
            raise DamageError(f"`{path}` is no JSON, expected the record of the machine") from None
        return cls.from_state(state if isinstance(state, dict) else {})

    def autocast(self) -> AbstractContextManager[Any]:
        """A block whose matrix products are done in `precision`."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device, torch.bfloat16)

    @contextmanager
    def applied(self, *, deterministic: bool) -> Iterator[None]:
        """Set torch up accordingly, and as it was afterwards.

        The switch for deterministic algorithms is turned on a GPU only: every operation of ours has just one algorithm on a
        processor, and turning it makes torch import its compiler, which takes seconds.
        """
        threads = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        switches = (
            deterministic and self.device == "cuda" and not torch.are_deterministic_algorithms_enabled()
        )
        if switches:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts
            torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            if switches:
                torch.use_deterministic_algorithms(False)


def require_device(device: str) -> None:
    """Refuse a device that is not there, before any work.

    Raises:
        DeviceError: saying why.
    """
    if device == "cuda" and not torch.cuda.is_available():
        why = "torch sees no GPU" if torch.version.cuda else "this torch is built without CUDA"
        raise DeviceError(f"`train.device` is `cuda`, but {why}", hint="use `train.device=cpu`")


def choose_machine(config: Train, *, say: Callable[[str], None], recorded: Machine | None = None) -> Machine:
    """Device, precision and threads for this run.

    Args:
        config: what was asked for; `auto` and null are measured.
        say: told each choice that was not asked for, with its reason, once.
        recorded: what the run was started with: taken over instead of measuring.
    Raises:
        DeviceError: if the device is not there or cannot do what was asked.
    """
    asked = config.device if recorded is None else recorded.device
    require_device(asked)
    device = ("cuda" if torch.cuda.is_available() else "cpu") if asked == "auto" else asked
    capability = _capability(device)
    if recorded is not None:
        if recorded.capability != capability:
            say(
                f"the run was started on {recorded.capability}, this is {capability}: bits may differ from here on"
            )
        return Machine(device, recorded.precision, recorded.threads, capability)
    threads = config.threads or _fastest_threads(say)
    precision: str = config.precision
    if precision == "auto":
        precision = _fastest_precision(device, threads, say)
    elif (
        precision == "bf16"
        and device == "cuda"
        and not torch.cuda.is_bf16_supported(including_emulation=False)
    ):
        raise DeviceError(
            f"`train.precision` is `bf16`, which {capability} cannot do", hint="use `train.precision=fp32`"
        )
    return Machine(device, precision, threads, capability)


def _capability(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"


def _available_threads() -> int:
    return len(os.sched_getaffinity(0))


def _fastest_threads(say: Callable[[str], None]) -> int:
    available = _available_threads()
    counts = sorted({1, *(2**i for i in range(available.bit_length()) if 2**i < available), available})
    if len(counts) == 1:
        return 1
    before = torch.get_num_threads()
    try:
        times = {count: _product_s("cpu", torch.float32, count, (2048, 256, 512)) for count in counts}
    finally:
        torch.set_num_threads(before)
    best = 1
    for count in counts:
        if times[count] * _MARGIN < times[best]:
            best = count
    measured = ", ".join(f"{count}: {seconds * 1e3:.1f} ms" for count, seconds in times.items())
    say(f"threads: {best} of {available} (a product of matrices by threads, {measured})")
    return best


def _fastest_precision(device: str, threads: int, say: Callable[[str], None]) -> str:
    shape = (4096, 4096, 4096) if device == "cuda" else (256, 256, 256)
    before = torch.get_num_threads()
    try:
        fp32, bf16 = (_product_s(device, dtype, threads, shape) for dtype in (torch.float32, torch.bfloat16))
    finally:
        torch.set_num_threads(before)
    best = "bf16" if bf16 * _MARGIN < fp32 else "fp32"
    ratio = f"{fp32 / bf16:.1f} times faster" if best == "bf16" else f"{bf16 / fp32:.1f} times the time"
    say(
        f"precision: {best} (bf16 takes {ratio} here)"
        if best == "fp32"
        else f"precision: bf16 ({ratio} than fp32 here)"
    )
    return best


def _product_s(device: str, dtype: torch.dtype, threads: int, shape: tuple[int, int, int]) -> float:
    """Best of some rounds: what else the machine does only adds to a time."""
    torch.set_num_threads(threads)
    rows, inner, columns = shape
    a, b = (
        torch.ones(rows, inner, dtype=dtype, device=device),
        torch.ones(inner, columns, dtype=dtype, device=device),
    )
    best = float("inf")
    for _ in range(_ROUNDS + 1):  # the first one warms up; it is never the best
        start = time.perf_counter()
        a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return best
