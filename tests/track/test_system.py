"""The sampler writes what the machine does, from a thread that nobody waits for."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil

from codex.track.system import Sampler, sample


def test_a_sample_holds_numbers_that_can_be_true(tmp_path: Path) -> None:
    values = sample(psutil.Process(), tmp_path)
    assert 0 <= values["memory_percent"] <= 100
    assert 1 << 20 < values["process_memory_bytes"] < psutil.virtual_memory().total
    assert values["process_threads"] >= 1
    assert values["disk_free_bytes"] > 0


def test_samples_come_in_time_and_once_more_at_the_end(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    sampler = Sampler(lambda **values: rows.append(values), tmp_path, every_s=0.01)
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    sampler.close()
    count = len(rows)
    assert count >= 3
    time.sleep(0.05)
    assert len(rows) == count
    assert all(row["load"] >= 0 for row in rows)


def test_a_run_shorter_than_the_interval_has_one_sample(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    Sampler(lambda **values: rows.append(values), tmp_path, every_s=600).close()
    assert len(rows) == 1


def test_the_thread_never_keeps_the_process_alive(tmp_path: Path) -> None:
    sampler = Sampler(lambda **values: None, tmp_path, every_s=600)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "codex-system"] == [True]
    sampler.close()


def test_a_folder_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    Sampler(lambda **values: rows.append(values), tmp_path / "gone", every_s=600).close()
    assert rows == []
