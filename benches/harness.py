"""Interleaved ratios: us and a peer in one run, the same answer first, the speed after.

A shared machine makes seconds meaningless and stored baselines worse; the ratio of two things timed in turn is what stays.
`gate` times pairs, alternating who goes first so that drift cancels, and holds the median ratio against
`configs/gates/<stage>.yaml`. It fails only when three tries in a row miss: measured on two shared cores, that raised no false
alarm in 33 runs, where a stored baseline raised one in three.

A gate in the file:

    tokens.encode:
      peer: tokenizers 0.23.3
      bar: 0.5          # the claim: our seconds over theirs
      at_most: 0.55     # what fails: 10 % above the bar
      reached: 0.5      # only where the bar is missed so far: what fails is then 10 % above this

`measures` is for figures that are not a ratio of two timed calls, a share of step time for instance. `hold` takes figures from
anywhere: from sides that are processes of their own, see `benches/workers.py`, timed in turn by `in_turn`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = [
    "RESULTS",
    "TABLES",
    "Gate",
    "Result",
    "gate",
    "hold",
    "in_turn",
    "load_gates",
    "measures",
    "paired",
    "quartiles_of",
]

GATES = Path(__file__).parents[1] / "configs" / "gates"


@dataclass(frozen=True)
class Gate:
    """One line of `configs/gates/*.yaml`: what is claimed, against whom, and where it fails."""

    name: str
    peer: str
    bar: float
    at_most: float
    reached: float | None = None


@dataclass(frozen=True)
class Result:
    """What a gate measured: three quartiles of the ratio (or of the figure), and how many pairs they rest on."""

    gate: Gate
    quartiles: tuple[float, float, float]
    pairs: int
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """True if the median is at or below what the gate allows."""
        return self.quartiles[1] <= self.gate.at_most


#: Every result of this session, in order; the terminal summary and the performance page are made from it.
RESULTS: list[Result] = []
#: Tables beside the gates, as Markdown with a heading; the performance page ends with them.
TABLES: list[str] = []


@functools.cache
def load_gates() -> dict[str, Gate]:
    """All gates by name.

    Raises:
        ValueError: if a gate is looser than 10 % above its bar (or above what is reached, where the bar is missed), if a bar is
            said to be missed and is not, or a name stands twice.
    """
    gates: dict[str, Gate] = {}
    for path in sorted(GATES.glob("*.yaml")):
        for name, fields in yaml.safe_load(path.read_text()).items():
            gate = Gate(name, **fields)
            if name in gates or not name.startswith(path.stem + "."):
                raise ValueError(f"`{name}` in {path.name}: gates are named <stage>.<claim>, once")
            if gate.reached is not None and gate.reached <= gate.bar:
                raise ValueError(f"`{name}` has reached {gate.reached}, so its bar {gate.bar} is not missed")
            held = gate.bar if gate.reached is None else gate.reached
            if gate.at_most > held * 1.1 + 1e-9:
                raise ValueError(f"`{name}` fails at {gate.at_most}, more than 10 % above {held}")
            gates[name] = gate
    return gates


def paired(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> list[float]:
    """Ratios of seconds, ours over theirs, of `rounds` interleaved pairs, sorted."""
    ratios = []
    for index in range(rounds):
        seconds = {}
        for side in (ours, peer) if index % 2 else (peer, ours):
            start = time.perf_counter()
            side()
            seconds[side] = time.perf_counter() - start
        ratios.append(seconds[ours] / seconds[peer])
    return sorted(ratios)


def quartiles_of(values: list[float]) -> tuple[float, float, float]:
    """The three quartiles of sorted `values`."""
    return tuple(round(values[len(values) * quarter // 4], 4) for quarter in (1, 2, 3))  # type: ignore[return-value]


def gate(
    benchmark: Any,
    name: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    rounds: int = 20,
    tries: int = 3,
    equal: Callable[[Any, Any], bool] = lambda left, right: bool(left == right),
    **extra: Any,
) -> Result:
    """Check that both answers are equal, time pairs, and fail if the median ratio misses in every try.

    Args:
        benchmark: the fixture of pytest-benchmark; it times `ours` once more so that its table and JSON hold seconds too.
        name: the gate's name in `configs/gates/`.
        ours, peer: two different callables without arguments, which return their answer.
        rounds: pairs in one try.
        tries: how many tries may miss before the gate fails.
        equal: whether two answers agree.
        extra: shown beside the ratio, MB/s for instance.
    Raises:
        AssertionError: if the answers differ, or the gate fails.
    """
    assert ours is not peer, "a ratio needs two callables"
    assert equal(ours(), peer()), f"{name}: the two answers differ, so their speed means nothing"
    return hold(benchmark, name, lambda: paired(ours, peer, rounds), ours=ours, tries=tries, **extra)


def measures(
    benchmark: Any, name: str, figure: Callable[[], float], *, rounds: int = 3, tries: int = 3, **extra: Any
) -> Result:
    """Hold the median of `rounds` figures, lower is better, against the gate `name`; fail if every try misses."""
    return hold(benchmark, name, lambda: [figure() for _ in range(rounds)], ours=figure, tries=tries, **extra)


def in_turn(sides: Mapping[str, Callable[[int], float]], rounds: int) -> dict[str, list[float]]:
    """Figures of each side, `rounds` of them; every round asks all sides, in an order that turns, and tells them its number."""
    names = list(sides)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            figures[name].append(sides[name](number))
    return figures


def hold(
    benchmark: Any,
    name: str,
    figures: Callable[[], Sequence[float]],
    *,
    ours: Callable[[], object] | None = None,
    tries: int = 3,
    **extra: Any,
) -> Result:
    """Hold the median of `figures()`, lower is better, against the gate `name`; fail if every try misses.

    Args:
        benchmark: the fixture of pytest-benchmark; it times `ours`, or the first measurement, for its table and JSON.
        name: the gate's name in `configs/gates/`.
        figures: measures once more and answers ratios of CPU seconds, or what else the gate is about.
        ours: what is claimed about, where it can be called here.
        tries: how many may miss before the gate fails.
        extra: shown beside the figure.
    """
    claim = load_gates()[name]
    for number in range(tries):
        timed = number == 0 and ours is None
        measured = sorted(benchmark.pedantic(figures, rounds=1) if timed else figures())
        result = Result(claim, quartiles_of(measured), len(measured), extra)
        if result.passed:
            break
    RESULTS.append(result)
    benchmark.extra_info |= {"gate": name, "peer": claim.peer, "quartiles": result.quartiles}
    if ours is not None:
        benchmark.pedantic(ours, rounds=3, warmup_rounds=0)
    low, median, high = result.quartiles
    assert result.passed, f"{name}: {median} ({low} to {high}) against {claim.peer}, at most {claim.at_most}"
    return result
