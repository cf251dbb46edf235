"""A worker process: it answers, says what went wrong there, stays on its core, and ends when closed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from benches.harness import in_turn
from benches.workers import Stopwatch, Worker


def test_a_worker_answers_and_its_errors_come_back() -> None:
    with Worker("string") as worker:
        assert worker.call("capwords", s="one two") == "One Two"
        with pytest.raises(RuntimeError, match=r"no_such_function"):
            worker.call("no_such_function")
        assert worker.call("capwords", s="three") == "Three", "an error does not end it"


def test_a_worker_has_one_core_and_one_thread() -> None:
    with Worker("os") as worker:
        assert worker.call("getenv", key="RAYON_NUM_THREADS") == "1"
    core = min(os.sched_getaffinity(0))
    with Worker("benches.workers", cores=[core]) as worker:
        assert worker.call("pinned_to") == [core]


def test_the_end_of_a_worker_is_an_error_and_no_wait() -> None:
    with Worker("os") as worker, pytest.raises(RuntimeError, match="ended with 7"):
        worker.call("_exit", status=7)


def test_sides_are_asked_in_an_order_that_turns() -> None:
    asked: list[tuple[str, int]] = []

    def side(name: str) -> Callable[[int], float]:
        def ask(number: int) -> float:
            asked.append((name, number))
            return len(asked)

        return ask

    figures = in_turn({name: side(name) for name in "abc"}, 2)
    assert asked == [("a", 0), ("b", 0), ("c", 0), ("b", 1), ("c", 1), ("a", 1)]
    assert figures == {"a": [1, 6], "b": [2, 4], "c": [3, 5]}


def test_a_stopwatch_counts_work_and_not_waiting() -> None:
    with Stopwatch() as watch:
        sum(range(200_000))
    assert watch.cpu_s > 0
    with Stopwatch() as waiting:
        time.sleep(0.05)
    assert waiting.cpu_s < watch.cpu_s
