"""The run folder: its name, its owner, what it was given, and what a resumed run may change."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config import LoadedConfig, load
from codex.errors import (
    ConfigError,
    DataError,
    DiskFullError,
    Interrupted,
    LockError,
    MachineError,
    MissingExtraError,
)
from codex.file import FailPoints, write_manifest
from codex.track.overview import describe_run
from codex.track.rows import read_rows
from codex.track.run import Run, find_runs

Configured = Callable[..., LoadedConfig]

KilledAt = Callable[[int, Callable[[], object]], bool]


def start(loaded: LoadedConfig, **options: bool) -> str:
    with Run.start(loaded, **options) as run:
        return run.name


def events(folder: Path) -> list[str]:
    return [row["event"] for row in read_rows(folder / "log.ndjson")]


def test_a_run_folder_holds_what_the_design_says(configured: Configured, tmp_path: Path) -> None:
    loaded = configured("train.max_steps=50", "run.seed=3")
    with Run.start(loaded) as run:
        run.begin(0)
        run.journal.metrics(1, "train", loss=1.0)
        run.finish(steps=50)
    assert run.folder == tmp_path / "runs" / "base"
    assert sorted(path.name for path in run.folder.iterdir()) == [
        "checkpoints",
        "config.resolved.yaml",
        "config.yaml",
        "environment.json",
        "evaluation",
        "log.ndjson",
        "metrics.ndjson",
        "run.lock",
    ]
    assert (run.folder / "config.yaml").read_text() == loaded.text
    assert load(run.folder / "config.resolved.yaml").config == loaded.config
    assert events(run.folder) == ["opened", "started", "finished"]
    finished = list(read_rows(run.folder / "log.ndjson"))[-1]
    assert finished["steps"] == 50


def test_names_come_from_the_key_then_the_file_and_are_numbered(
    configured: Configured, tmp_path: Path
) -> None:
    mine = tmp_path / "my try.yaml"
    mine.write_text(f"run: {{directory: {tmp_path / 'runs'}}}\ntrack: {{system_metrics: false}}\n")
    assert [start(load(mine)) for _ in range(3)] == ["my try", "my try-2", "my try-3"]
    assert [start(configured("run.name=x")) for _ in range(2)] == ["x", "x-2"]
    assert start(configured("run.name=x-2")) == "x-2-2"
    (tmp_path / "runs" / "x").rename(tmp_path / "runs" / "gone")
    assert start(configured("run.name=x")) == "x-3"


def test_a_folder_that_is_no_run_keeps_its_name(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "runs" / "base").mkdir(parents=True)
    assert start(configured()) == "base-2"
    assert start(configured(), resume=True) == "base-2"
    assert [folder.name for folder in find_runs(tmp_path / "runs", "base")] == ["base-2"]


def test_resume_takes_the_newest_of_the_name_by_number(configured: Configured, tmp_path: Path) -> None:
    for _ in range(11):
        start(configured())
    start(configured("run.name=other"))
    os.utime(tmp_path / "runs" / "base-2")  # clocks are not asked
    with Run.start(configured(), resume=True) as run:
        assert (run.name, run.is_resumed) == ("base-11", True)
    assert [folder.name for folder in find_runs(tmp_path / "runs")][-3:] == ["base-10", "base-11", "other"]


def test_resume_without_an_earlier_run_is_a_fresh_one(configured: Configured) -> None:
    with Run.start(configured(), resume=True) as run:
        assert (run.name, run.is_resumed) == ("base", False)


def test_two_fresh_starts_at_once_get_two_folders(configured: Configured) -> None:
    loaded = configured()
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(start(loaded))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == ["base", *(f"base-{number}" for number in range(2, 9))]


def test_resume_refuses_changes_that_would_change_the_past(configured: Configured) -> None:
    start(configured())
    with pytest.raises(ConfigError) as caught:
        Run.start(configured("train.learning_rate=0.5", "run.seed=9", "train.max_steps=90"), resume=True)
    said = str(caught.value).splitlines()
    assert said[1] == "  `run.seed` was 0, is 9" and said[2].startswith("  `train.learning_rate` was ")
    assert len(said) == 3, "a key that is free to change is no reason"
    assert caught.value.hint is not None and "--allow-changes" in caught.value.hint
    assert start(configured(), resume=True) == "base", "the refusal let go of the lock"


def test_resume_takes_longer_and_writes_down_that_it_did(configured: Configured) -> None:
    start(configured("train.max_steps=50"))
    with Run.start(configured("train.max_steps=70", "checkpoint.keep_last=9"), resume=True) as run:
        assert load(run.folder / "config.resolved.yaml").config.train.max_steps == 70
    changed = [row for row in read_rows(run.folder / "log.ndjson") if row["event"] == "configuration-changed"]
    assert changed[0]["changed"] == [
        "`train.max_steps` was 50, is 70",
        "`checkpoint.keep_last` was 2, is 9",
    ]


OWN = """
import sys; from codex.config import load; from codex.track.run import Run
with Run.start(load("base", sys.argv[1:])) as run:
    print(run.folder, flush=True); sys.stdin.read()
"""


def test_a_run_in_use_by_another_process_names_it(configured: Configured, tmp_path: Path) -> None:
    words = [f"run.directory={tmp_path / 'runs'}", "track.system_metrics=false"]
    owner = subprocess.Popen(
        [sys.executable, "-c", OWN, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdin and owner.stdout
    folder = Path(owner.stdout.readline().strip())
    with pytest.raises(LockError) as caught:
        Run.start(configured(), resume=True)
    assert f"process {owner.pid} on {platform.node()}" in str(caught.value)
    assert caught.value.exit_code == 5
    assert describe_run(folder)["state"] == "running"
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    assert describe_run(folder)["state"] == "killed"
    assert start(configured(), resume=True) == "base"
    assert describe_run(folder)["state"] == "stopped"


def test_a_place_that_cannot_hold_runs_is_exit_5(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "runs", Path("/proc/runs")):
        with pytest.raises(MachineError) as caught:
            Run.start(load("base", [f"run.directory={place}"]))
        assert caught.value.hint == "name another place with `run.directory=DIR`"


@pytest.mark.parametrize(
    "point", ["file.write", "file.create", "file.sync", "file.rename", "file.make-folder"]
)
def test_a_full_disk_at_the_start_leaves_no_half_a_folder(
    point: str, configured: Configured, tmp_path: Path
) -> None:
    with FailPoints(f"{point}=enospc@1"), pytest.raises(DiskFullError):
        Run.start(configured())
    assert find_runs(tmp_path / "runs") == []
    assert start(configured()) == "base"
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["base"]


def test_a_start_killed_at_any_point_leaves_a_whole_run_or_none(
    configured: Configured, tmp_path: Path, killed_at: KilledAt
) -> None:
    loaded = configured()
    runs, kill, was_killed = tmp_path / "runs", 0, True
    while was_killed:
        kill += 1
        was_killed = killed_at(kill, lambda: start(loaded))
        for folder in find_runs(runs):
            load(folder / "config.resolved.yaml")
            json.loads((folder / "environment.json").read_bytes())
        start(loaded, resume=True)
        assert not [path for path in runs.iterdir() if "partial" in path.name]
    assert kill > 15


def test_begin_forgets_what_came_after_the_step(configured: Configured, tmp_path: Path) -> None:
    with Run.start(configured()) as run:
        run.record_data([{"kind": "records", "digest": "sha256:a"}])
        run.begin(0)
        for step in (1, 2, 3):
            run.journal.metrics(step, "train", loss=1.0)
            folder = run.checkpoints / f"step-{step}"
            folder.mkdir()
            write_manifest(folder, {"kind": "checkpoint", "schema_version": 1, "files": [], "step": step})
            run.record_checkpoint(folder, step, is_best=step == 2)
    assert (run.folder / "latest").read_text() == "step-3\n"
    assert (run.folder / "best").read_text() == "step-2\n"
    with Run.start(configured(), resume=True) as run:
        run.record_data([{"kind": "records", "digest": "sha256:a"}])
        run.begin(2)
        assert [kept["step"] for kept in run.lineage.checkpoints] == [1, 2]
    assert [row["step"] for row in read_rows(run.folder / "metrics.ndjson")] == [1, 2]
    assert [row["step"] for row in read_rows(run.folder / "metrics.superseded.ndjson")] == [3]
    resumed = next(row for row in read_rows(run.folder / "log.ndjson") if row["event"] == "resumed")
    assert (resumed["step"], resumed["superseded_rows"]) == (2, 1)


@pytest.mark.parametrize(
    ("error", "level", "message"),
    [
        (Interrupted("saved step 7", signal_number=15), "info", "Interrupted: saved step 7"),
        (ValueError("bad"), "error", "ValueError: bad"),
        (None, "error", "left before its last step"),
    ],
)
def test_a_run_that_ends_early_says_why(
    error: BaseException | None, level: str, message: str, configured: Configured
) -> None:
    try:
        with Run.start(configured()) as run:
            if error:
                raise error
    except (Interrupted, ValueError) as raised:
        assert raised is error
    stopped = list(read_rows(run.folder / "log.ndjson"))[-1]
    assert (stopped["event"], stopped["level"], stopped["message"]) == ("stopped", level, message)
    assert describe_run(run.folder)["state"] == "stopped"


def test_a_fresh_run_refused_before_its_first_step_was_never_there(
    configured: Configured, tmp_path: Path
) -> None:
    with pytest.raises(DataError), Run.start(configured()) as run:
        raise DataError("the corpus is empty")
    assert list((tmp_path / "runs").iterdir()) == []
    with pytest.raises(DataError), Run.start(configured()) as run:
        run.begin(0)
        raise DataError("a shard vanished")
    assert events(run.folder) == ["opened", "started", "stopped"]
    with pytest.raises(DataError), Run.start(configured(), resume=True) as run:
        raise DataError("other data")
    assert events(run.folder) == ["opened", "started", "stopped", "opened", "stopped"]


def test_without_mlflow_nothing_is_made(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow", reason="needs the extra `mlflow`")  # one part of it is hidden below
    monkeypatch.setitem(sys.modules, "alembic", None)
    with pytest.raises(MissingExtraError) as caught:
        Run.start(configured("track.mlflow=true"))
    assert str(caught.value) == "`track.mlflow` is true, but `alembic` is not installed"
    assert caught.value.hint == 'pip install "codex-lm[mlflow]"'
    assert not (tmp_path / "runs").exists()


def test_a_run_without_psutil_goes_on_and_says_so(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    said: list[str] = []
    with Run.start(configured("track.system_metrics=true"), warn=said.append) as run:
        run.begin(0)
    assert said == ['`psutil` is not installed, so the machine is not watched; pip install "codex-lm[train]"']
    assert "system-metrics-absent" in events(run.folder)


def test_the_environment_names_versions_and_no_secret(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("CODEX_TOKEN", "hunter2")
    with Run.start(configured()) as run:
        text = (run.folder / "environment.json").read_text()
    facts = json.loads(text)
    assert (facts["schema_version"], facts["kind"]) == (1, "environment")
    assert facts["python"]["version"] == platform.python_version()
    assert facts["packages"]["numpy"] and facts["codex"]["version"]
    assert facts["hardware"]["cores"] >= 1 and facts["hardware"]["memory_bytes"] > 0
    assert facts["variables"]["OMP_NUM_THREADS"] == "1"
    assert "hunter2" not in text


def test_git_is_asked_without_running_what_the_repository_names(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    for command in (
        "init -q",
        "-c user.name=a -c user.email=a@b commit -q --allow-empty -m first",
        f"config core.fsmonitor {tmp_path / 'evil'}",
    ):
        subprocess.run(["git", *command.split()], cwd=repository, check=True)
    (tmp_path / "evil").write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    (tmp_path / "evil").chmod(0o755)
    monkeypatch.chdir(repository)
    with Run.start(configured()) as run:
        git = json.loads((run.folder / "environment.json").read_bytes())["git"]
    assert len(git["commit"]) == 40
    assert git["has_changes"] is False
    assert not (tmp_path / "ran").exists()


def test_outside_a_repository_git_is_null(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with Run.start(configured()) as run:
        assert json.loads((run.folder / "environment.json").read_bytes())["git"] is None
