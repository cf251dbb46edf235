"""The bench harness: it tells slow from fast, refuses unequal answers, and `pytest --benchmark` is its door."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benches import harness

ROOT = Path(__file__).parents[2]
CLAIM = harness.Gate("house.example", "itself", bar=1.0, at_most=1.1)


class Fixture:
    """As much of pytest-benchmark's fixture as the harness uses, so that these tests print no table."""

    def __init__(self) -> None:
        self.extra_info: dict[str, object] = {}

    def pedantic(self, function: Callable[[], object], **_: int) -> object:
        return function()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "load_gates", lambda: {"house.example": CLAIM})
    monkeypatch.setattr(harness, "RESULTS", [])


def short() -> int:
    time.sleep(0.001)
    return 7


def same() -> int:
    time.sleep(0.001)
    return 7


def slow() -> int:
    time.sleep(0.004)
    return 7


@pytest.mark.usefixtures("example")
def test_a_gate_fails_what_is_slower_than_it_allows() -> None:
    with pytest.raises(AssertionError, match=r"at most 1\.1"):
        harness.gate(Fixture(), "house.example", slow, short, rounds=5)
    assert harness.RESULTS[0].quartiles[1] > 1.1


@pytest.mark.usefixtures("example")
def test_a_gate_passes_what_is_as_fast() -> None:
    assert harness.gate(Fixture(), "house.example", short, slow, rounds=5).quartiles[1] < 1


@pytest.mark.usefixtures("example")
def test_a_gate_refuses_unequal_answers() -> None:
    with pytest.raises(AssertionError, match="answers differ"):
        harness.gate(Fixture(), "house.example", short, lambda: 8, rounds=5)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ("bar: 1.0, at_most: 1.2", "more than 10 % above 1.0"),
        ("bar: 1.0, reached: 2.0, at_most: 2.3", "more than 10 % above 2.0"),
        ("bar: 1.0, reached: 0.9, at_most: 0.99", "is not missed"),
    ],
)
def test_no_gate_is_looser_than_a_tenth_above_its_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: str, message: str
) -> None:
    assert harness.load_gates()
    (tmp_path / "house.yaml").write_text(f"house.loose: {{peer: x, {figures}}}\n")
    monkeypatch.setattr(harness, "GATES", tmp_path)
    with pytest.raises(ValueError, match=message):
        harness.load_gates.__wrapped__()


def test_pytest_benchmark_runs_the_benches_and_nothing_else() -> None:
    words = [sys.executable, "-m", "pytest", "--benchmark", "--collect-only", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    collected = [line for line in ran.stdout.splitlines() if "::" in line]
    assert collected
    assert all(line.startswith("benches/") for line in collected)


def test_every_gate_is_measured_by_a_bench_of_its_stage() -> None:
    """By its whole name, or by the part before what varies where one bench measures several."""
    for name in harness.load_gates():
        stage, claim = name.split(".")
        benches = "\n".join(path.read_text() for path in (ROOT / "benches" / stage).glob("bench_*.py"))
        words = claim.split("_")
        parts = ["_".join(words[:count]) for count in range(1, len(words))]
        assert f'"{name}"' in benches or any(f'"{stage}.{part}_{{' in benches for part in parts), name
