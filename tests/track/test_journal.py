"""The journal: whole rows, one warning for a full disk, and a rewind that a kill cannot spoil."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codex.errors import DamageError, LockError, MissingDataError
from codex.file import AppendLog, FailPoints
from codex.track.journal import Journal, differences, is_rate
from codex.track.rows import now, read_rows

KilledAt = Callable[[int, Callable[[], object]], bool]


def written(folder: Path, steps: int, split: str = "train", start: int = 1) -> Journal:
    journal = Journal(folder)
    for step in range(start, steps + 1):
        journal.metrics(step, split, loss=1 / step, tokens_per_second=float(os.urandom(1)[0]))
    return journal


def test_a_metrics_row_has_the_format_of_the_design(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.metrics(3, "train", loss=np.float32(0.5), tokens=np.int64(7), rate=float("nan"), up=float("inf"))
    journal.metrics(3, "held_out", down=float("-inf"))
    journal.close()
    first, second = (tmp_path / "metrics.ndjson").read_text().splitlines()
    row = json.loads(first)
    assert list(row) == ["schema_version", "time", "step", "split", "metrics"]
    assert len(row["time"]) == len(now()) == len("2026-11-21T12:00:00.123Z")
    assert {**row, "time": ""} == {
        "schema_version": 1,
        "time": "",
        "step": 3,
        "split": "train",
        "metrics": {"loss": 0.5, "tokens": 7, "rate": "NaN", "up": "Infinity"},
    }
    assert json.loads(second)["metrics"] == {"down": "-Infinity"}


def test_log_and_system_rows_have_files_of_their_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.log("started", "from step 0: é \udc80", level="warning", step=0, config="x")
    journal.system(load=0.5)
    journal.close()
    (event,) = read_rows(tmp_path / "log.ndjson")
    (sample,) = read_rows(tmp_path / "system.ndjson")
    assert (event["level"], event["event"], event["step"]) == ("warning", "started", 0)
    assert event["message"] == "from step 0: é \udc80"
    assert sample["metrics"] == {"load": 0.5}
    assert not (tmp_path / "metrics.ndjson").exists()


@pytest.mark.parametrize("value", ["0.5", None, [1.0]])
def test_a_metric_is_a_number(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a metric is a number"):
        Journal(tmp_path).metrics(1, "train", loss=value)


def test_rewind_moves_later_rows_and_keeps_their_bytes(tmp_path: Path) -> None:
    journal = written(tmp_path, 9)
    lines = (tmp_path / "metrics.ndjson").read_bytes().splitlines(keepends=True)
    assert journal.rewind(6) == 3
    assert (tmp_path / "metrics.ndjson").read_bytes() == b"".join(lines[:6])
    assert (tmp_path / "metrics.superseded.ndjson").read_bytes() == b"".join(lines[6:])
    journal.metrics(7, "train", loss=2.0)
    assert journal.rewind(6) == 1
    assert journal.rewind(6) == 0
    assert journal.rewind(0) == 6
    journal.close()
    assert [row["step"] for row in read_rows(tmp_path / "metrics.superseded.ndjson")] == [
        7,
        8,
        9,
        7,
        1,
        2,
        3,
        4,
        5,
        6,
    ]


@pytest.mark.parametrize("step", [0, 5])
def test_rewind_of_an_empty_journal_does_nothing(step: int, tmp_path: Path) -> None:
    assert Journal(tmp_path).rewind(step) == 0
    (tmp_path / "metrics.ndjson").touch()
    assert Journal(tmp_path).rewind(step) == 0
    assert not (tmp_path / "metrics.superseded.ndjson").exists()


def test_rewind_killed_at_any_point_and_done_again_is_right(tmp_path: Path, killed_at: KilledAt) -> None:
    """Every system call that changes the disk is killed once; the second try finds what the first one left."""
    kill, was_killed = 0, True
    while was_killed:
        kill += 1
        folder = tmp_path / str(kill)
        folder.mkdir()
        written(folder, 9).close()
        (folder / "metrics.superseded.ndjson").write_bytes(b'{"schema_version":1,"step":8}\n')
        before = (folder / "metrics.ndjson").read_bytes().splitlines(keepends=True)
        was_killed = killed_at(kill, lambda folder=folder: Journal(folder).rewind(6))
        Journal(folder).rewind(6)
        assert (folder / "metrics.ndjson").read_bytes() == b"".join(before[:6])
        superseded = (folder / "metrics.superseded.ndjson").read_bytes()
        assert superseded == b'{"schema_version":1,"step":8}\n' + b"".join(before[6:])
    assert kill > 8


def test_a_torn_last_row_is_set_aside_by_rewind(tmp_path: Path) -> None:
    written(tmp_path, 3).close()
    with (tmp_path / "metrics.ndjson").open("ab") as file:
        file.write(b'{"schema_version":1,"ti')
    assert len(list(read_rows(tmp_path / "metrics.ndjson"))) == 3
    assert Journal(tmp_path).rewind(3) == 0
    assert (tmp_path / "metrics.ndjson").read_bytes().endswith(b"}\n")
    assert (tmp_path / "metrics.ndjson.torn").exists()


DAMAGE = [
    (b"not json\n", "line 2 is not a row"),
    (b"[1]\n", "line 2 is not a row"),
    (b"\xff\xfe\n", "line 2 is not a row"),
    (b"\n", "line 2 is not a row"),
    (b'{"schema_version":1,"st\rep":2}\n', "line 2 is not a row"),
    (b'{"schema_version":2}\n', "line 2 has schema_version 2, expected 1"),
    (b"{}\n", "line 2 has schema_version None, expected 1"),
]


@pytest.mark.parametrize(("line", "message"), DAMAGE)
def test_a_damaged_row_is_an_error_that_names_file_and_line(
    line: bytes, message: str, tmp_path: Path
) -> None:
    written(tmp_path, 1).close()
    path = tmp_path / "metrics.ndjson"
    path.write_bytes(path.read_bytes() + line + path.read_bytes())
    with pytest.raises(DamageError) as caught:
        list(read_rows(path))
    assert str(caught.value) == f"`{path}` {message}"


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"metrics\.ndjson"):
        differences(tmp_path / "metrics.ndjson", tmp_path / "metrics.ndjson")


def test_a_full_disk_costs_one_warning_and_not_the_run(tmp_path: Path) -> None:
    said: list[str] = []
    journal = Journal(tmp_path, said.append)
    journal.metrics(1, "train", loss=1.0)
    with FailPoints("file.write=enospc"):
        for step in range(2, 6):
            journal.metrics(step, "train", loss=1.0)
    journal.metrics(6, "train", loss=1.0)
    journal.close()
    assert len(said) == 2
    assert said[0].startswith("`metrics.ndjson` misses rows from here on, the run goes on: ")
    assert said[1] == "rows that could not be written: 4 of `metrics.ndjson`"
    assert [row["step"] for row in read_rows(tmp_path / "metrics.ndjson")] == [1, 6]
    (event,) = read_rows(tmp_path / "log.ndjson")
    assert (event["event"], event["lost"]) == ("rows-lost", {"metrics.ndjson": 4})


@pytest.mark.parametrize(
    "rule", ["file.sync=sync-fails@1", "file.create=eio@1", "file.write=short@1,file.write=eio@2"]
)
def test_no_fault_of_the_disk_stops_the_journal(rule: str, tmp_path: Path) -> None:
    said: list[str] = []
    journal = Journal(tmp_path, said.append)
    with FailPoints(rule) as faults:
        journal.metrics(1, "train", loss=1.0)
        journal.sync()
        assert faults.fired
    journal.metrics(2, "train", loss=1.0)
    journal.close()
    assert said
    assert [row["step"] for row in read_rows(tmp_path / "metrics.ndjson")][-1] == 2


def test_a_journal_that_another_process_writes_is_refused(tmp_path: Path) -> None:
    with AppendLog(tmp_path / "metrics.ndjson"), pytest.raises(LockError):
        Journal(tmp_path).metrics(1, "train", loss=1.0)


def test_journals_are_equal_but_for_time_and_rates(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "a", tmp_path / "b"
    for folder in (ours, theirs):
        folder.mkdir()
        written(folder, 5).close()
    pair = (ours / "metrics.ndjson", theirs / "metrics.ndjson")
    assert differences(*pair) == []
    Journal(theirs).metrics(6, "train", loss=1.0)
    assert differences(*pair) == ["row 6: nothing and step 6 train {'loss': 1.0}"]
    Journal(ours).metrics(6, "train", loss=1.5)
    assert differences(*pair) == ["row 6: step 6 train {'loss': 1.5} and step 6 train {'loss': 1.0}"]
    Journal(theirs).rewind(5)
    Journal(theirs).metrics(6, "held_out", loss=1.5)
    assert len(differences(*pair)) == 1


def test_rates_are_told_by_their_names() -> None:
    assert [
        name for name in ("loss", "tokens_per_second", "step_seconds", "seconds_total") if is_rate(name)
    ] == [
        "tokens_per_second",
        "step_seconds",
    ]
