"""The mirror: what MLflow holds is what the journal holds, and MLflow's troubles are not the run's."""

from __future__ import annotations

import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codex.config import LoadedConfig
from codex.errors import ConfigError
from codex.track import mlflow as mirroring
from codex.track.mlflow import Mirror
from codex.track.rows import read_rows
from codex.track.run import Run

pytest.importorskip("mlflow", reason="needs the extra `mlflow`")

pytestmark = pytest.mark.filterwarnings(
    "ignore::Warning:mlflow", "ignore::Warning:sqlalchemy", "ignore::Warning:alembic"
)

Configured = Callable[..., LoadedConfig]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever MLflow leaves in the working directory is seen."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setattr(mirroring, "CLOSE_S", 300)  # a loaded machine imports MLflow for a minute
    yield
    assert list(place.iterdir()) == []


def client_of(runs: Path) -> Any:
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{runs / 'mlflow.db'}"
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def mirrored(runs: Path) -> list[Any]:
    client = client_of(runs)
    experiment = client.get_experiment_by_name("codex")
    return list(client.search_runs([experiment.experiment_id]))


def history(runs: Path, run_id: str, name: str) -> list[tuple[int, float]]:
    return sorted((point.step, point.value) for point in client_of(runs).get_metric_history(run_id, name))


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_so()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables, which MLflow takes seconds to make."""
    folder = tmp_path_factory.mktemp("store")
    client_of(folder).search_experiments()
    return folder / "mlflow.db"


@pytest.fixture
def runs(migrated: Path, tmp_path: Path) -> Path:
    """A folder of runs beside which that store lies."""
    (tmp_path / "runs").mkdir()
    shutil.copy(migrated, tmp_path / "runs")
    return tmp_path / "runs"


def test_a_run_and_its_resumes_are_one_run_in_mlflow(configured: Configured, tmp_path: Path) -> None:
    said: list[str] = []
    loaded = configured("track.mlflow=true", "train.max_steps=50")
    runs = tmp_path / "runs"
    with Run.start(loaded, warn=said.append) as run:
        run.begin(0)
        for step in range(1, 1201):
            run.journal.metrics(step, "train", loss=1 / step)
        run.journal.metrics(1200, "held_out", bits_per_byte=2.5)
    (first,) = mirrored(runs)
    assert first.info.status == "FAILED"
    with Run.start(loaded, resume=True, warn=said.append) as run:
        run.begin(1100)
        for step in range(1101, 1301):
            run.journal.metrics(step, "train", loss=1 / step)
        run.journal.metrics(1300, "held_out", bits_per_byte=2.25)
        run.finish()
    (second,) = mirrored(runs)
    assert said == []
    assert second.info.run_id == first.info.run_id
    assert (second.info.status, second.info.run_name) == ("FINISHED", "base")
    assert history(runs, second.info.run_id, "train/loss") == [(step, 1 / step) for step in range(1, 1301)]
    assert history(runs, second.info.run_id, "held_out/bits_per_byte") == [(1200, 2.5), (1300, 2.25)]
    assert second.data.params["train.max_steps"] == "50"
    assert second.data.params["run.name"] == "null"
    assert second.data.tags["codex.config"] == loaded.config.digest
    assert second.data.tags["codex.run"] == "base"
    assert json.loads((run.folder / "mlflow.json").read_bytes())["run_id"] == second.info.run_id
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_not_finite_numbers_arrive_as_what_they_are(configured: Configured, runs: Path) -> None:
    with Run.start(configured("track.mlflow=true")) as run:
        run.begin(0)
        run.journal.metrics(1, "train", loss=float("nan"))
        run.journal.metrics(2, "train", loss=float("-inf"), norm=float("inf"))
    (found,) = mirrored(runs)
    ((step, value),) = history(runs, found.info.run_id, "train/loss")
    assert step == 1 and math.isnan(value)
    assert found.data.tags["train/loss at step 2"] == "-Infinity"
    assert found.data.tags["train/norm at step 2"] == "Infinity"
    assert "train/norm" not in found.data.metrics


def test_two_runs_share_the_file_beside_them(configured: Configured, runs: Path) -> None:
    for _ in range(2):
        with Run.start(configured("track.mlflow=true")) as run:
            run.begin(0)
            run.finish()
    assert sorted(found.info.run_name for found in mirrored(runs)) == ["base", "base-2"]


def test_a_resumed_run_whose_store_was_deleted_begins_a_new_one(
    configured: Configured, runs: Path, migrated: Path
) -> None:
    loaded = configured("track.mlflow=true")
    with Run.start(loaded) as run:
        run.begin(0)
        run.journal.metrics(1, "train", loss=1.0)
    shutil.copy(migrated, runs)
    with Run.start(loaded, resume=True) as run:
        run.begin(1)
    (found,) = mirrored(runs)
    assert history(runs, found.info.run_id, "train/loss") == [(1, 1.0)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "EVERY_S", 0.05)


def test_a_store_that_fails_costs_one_warning(quick: None, configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"this is no database" * 1000)
    said: list[str] = []
    with Run.start(
        configured("track.mlflow=true", f"track.mlflow_uri=sqlite:///{tmp_path / 'broken.db'}"),
        warn=said.append,
    ) as run:
        run.begin(0)
        run.journal.metrics(1, "train", loss=1.0)
        wait_until(lambda: said)
        time.sleep(0.3)  # time enough to fail again
        run.finish()
    assert len(said) == 1
    assert said[0].startswith("MLflow does not mirror this run, which goes on: ")
    assert "\n" not in said[0]
    assert len(list(read_rows(run.folder / "metrics.ndjson"))) == 1


class Store:
    """A client that fails and waits as it is told, and keeps what it takes."""

    def __init__(self) -> None:
        self.is_up = True
        self.waits_s = 0.0
        self.points: list[tuple[str, int]] = []
        self.status = ""

    def log_batch(self, run_id: str, metrics: Any = (), params: Any = ()) -> None:
        time.sleep(self.waits_s)
        if not self.is_up:
            raise ConnectionError("no route to http://me:secret@example.test/api")
        self.points += [(point.key, point.step) for point in metrics]

    def set_terminated(self, run_id: str, status: str) -> None:
        self.status = status


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(Mirror, "_connect", lambda mirror: setattr(mirror, "_client", made))
    return made


def mirror_of(folder: Path, said: list[str]) -> Mirror:
    return Mirror(folder, uri=None, parameters={}, tags={}, warn=said.append)


def test_what_a_store_missed_is_sent_when_it_is_back(quick: None, store: Store, tmp_path: Path) -> None:
    from codex.track.journal import Journal

    said: list[str] = []
    store.is_up = False
    journal, mirror = Journal(tmp_path), mirror_of(tmp_path, said)
    journal.metrics(1, "train", loss=1.0)
    wait_until(lambda: said)
    journal.metrics(2, "train", loss=1.0)
    store.is_up = True
    wait_until(lambda: len(store.points) == 2)
    mirror.close("FINISHED")
    assert store.points == [("train/loss", 1), ("train/loss", 2)]
    assert store.status == "FINISHED"
    assert said == ["MLflow does not mirror this run, which goes on: no route to http://***@example.test/api"]


def test_a_slow_store_holds_up_neither_a_step_nor_the_end(
    quick: None, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codex.track.journal import Journal

    monkeypatch.setattr(mirroring, "CLOSE_S", 0.1)
    said: list[str] = []
    store.waits_s = 3.0
    journal, mirror = Journal(tmp_path), mirror_of(tmp_path, said)
    began = time.monotonic()
    for step in range(100):
        journal.metrics(step, "train", loss=1.0)
    mirror.close("FINISHED")
    assert time.monotonic() - began < 2.5
    assert said == ["MLflow does not mirror this run, which goes on: it is too slow to take the last rows"]


def test_a_row_that_is_being_written_waits_for_its_end(quick: None, store: Store, tmp_path: Path) -> None:
    from codex.track.journal import Journal

    journal = Journal(tmp_path)
    journal.metrics(1, "train", loss=1.0)
    journal.metrics(2, "train", loss=1.0)
    path = tmp_path / "metrics.ndjson"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    mirror = mirror_of(tmp_path, [])
    wait_until(lambda: store.points)
    assert store.points == [("train/loss", 1)]
    path.write_bytes(whole)
    wait_until(lambda: len(store.points) == 2)
    mirror.close("FINISHED")
    assert store.points == [("train/loss", 1), ("train/loss", 2)]


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:./mlruns", "file:///tmp/mlruns"])
def test_a_folder_is_refused_before_any_work(uri: str, configured: Configured, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Run.start(configured("track.mlflow=true", f"track.mlflow_uri={uri}"))
    assert str(caught.value).startswith(f"`track.mlflow_uri` is `{uri}`, a folder")
    assert not (tmp_path / "runs").exists()
