"""A mirror of the journal in MLflow: the run's parameters, metrics and tags.

The mirror reads `metrics.ndjson` from a thread of its own, so a step never waits for it, a store that was down gets what it
missed, and a resumed run goes on where MLflow stands. The run id is kept in the run folder: one run across all resumes.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from codex.errors import ConfigError, MissingExtraError
from codex.file import write_atomic

__all__ = ["Mirror", "require_mlflow"]

EXPERIMENT = "codex"
EVERY_S = 5.0
CLOSE_S = 30.0  # how long the end of a run waits for a slow store
METRICS_PER_CALL = 1000  # MLflow's own limits
PARAMETERS_PER_CALL = 100
MODULES = ("mlflow", "sqlalchemy", "alembic")


def require_mlflow(uri: str | None) -> None:
    """Say before any work that mirroring cannot succeed.

    Raises:
        MissingExtraError: if the extra is not installed.
        ConfigError: if `uri` is a folder: MLflow gave up its file store.
    """
    for name in MODULES:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"`track.mlflow` is true, but `{name}` is not installed",
                hint='pip install "codex-lm[mlflow]"',
            )
    if uri is not None and ("://" not in uri or uri.startswith("file:")):
        raise ConfigError(
            f"`track.mlflow_uri` is `{uri}`, a folder, which MLflow does not take any more",
            hint="use `sqlite:///FILE`, the address of a server, or null for a file beside the runs",
        )


class Mirror:
    """Sends what `metrics.ndjson` holds to MLflow until it is closed.

    Args:
        folder: the run folder.
        uri: tracking address; None is `mlflow.db` beside the run folder.
        parameters, tags: set once, when MLflow first sees the run.
        warn: told once if the store refuses; the mirror then keeps trying.
    """

    def __init__(
        self,
        folder: Path,
        *,
        uri: str | None,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self._folder = folder.resolve()
        self._uri = uri or f"sqlite:///{self._folder.parent / 'mlflow.db'}"
        self._parameters = dict(parameters)
        self._tags = dict(tags)
        self._warn = warn
        self._client: Any = None
        self._run_id = ""
        self._offset = 0
        self._mirrored: dict[str, int] = {}  # metric -> last step that MLflow has of it from before
        self._has_warned = False
        self._status: str = "RUNNING"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="codex-mlflow", daemon=True)
        self._thread.start()

    def close(self, status: Literal["FINISHED", "FAILED", "KILLED"]) -> None:
        """Send the last rows and end the run; a store slower than `CLOSE_S` is left behind with a warning."""
        self._status = status
        self._stop.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._complain("it is too slow to take the last rows")

    def _run(self) -> None:
        is_last = False
        while True:
            try:
                if self._client is None:
                    self._connect()
                self._send()
                if is_last:
                    self._client.set_terminated(self._run_id, self._status)
            except Exception as error:
                self._complain(str(error) or type(error).__name__)
            if is_last:
                return
            is_last = self._stop.wait(EVERY_S)

    def _connect(self) -> None:
        from mlflow.entities import Param
        from mlflow.tracking import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        client = MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)
        run = self._found(client) or self._made(client)
        self._run_id = run.info.run_id
        missing = [Param(key, value) for key, value in self._parameters.items() if key not in run.data.params]
        for start in range(0, len(missing), PARAMETERS_PER_CALL):
            client.log_batch(self._run_id, params=missing[start : start + PARAMETERS_PER_CALL])
        self._client = client

    def _found(self, client: Any) -> Any:
        """The run that this folder was mirrored to before, or None."""
        from mlflow.exceptions import MlflowException

        note = self._folder / "mlflow.json"
        if not note.exists():
            return None
        kept = json.loads(note.read_bytes())
        if kept["uri"] != self._uri:
            return None
        try:
            client.update_run(kept["run_id"], status="RUNNING")
            run = client.get_run(kept["run_id"])
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        for name in run.data.metrics:
            history = client.get_metric_history(kept["run_id"], name)
            self._mirrored[name] = max(point.step for point in history)
        return run

    def _made(self, client: Any) -> Any:
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            artifacts = (self._folder.parent / "mlflow-artifacts").as_uri()
            number = client.create_experiment(EXPERIMENT, artifact_location=artifacts)
        else:
            number = experiment.experiment_id
        run = client.create_run(number, run_name=self._folder.name, tags=self._tags)
        note = {"schema_version": 1, "kind": "mlflow", "uri": self._uri, "run_id": run.info.run_id}
        write_atomic(self._folder / "mlflow.json", json.dumps(note).encode() + b"\n")
        return run

    def _send(self) -> None:
        """Send the whole rows that came since the last time; what fails is sent again, and MLflow drops doubles."""
        from mlflow.entities import Metric, RunTag

        journal = self._folder / "metrics.ndjson"
        if not journal.exists():
            return
        with journal.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        data = data[: data.rfind(b"\n") + 1]
        points, tags = [], []
        for line in data.splitlines():
            row = json.loads(line)
            milliseconds = int(datetime.fromisoformat(row["time"]).timestamp() * 1000)
            for name, value in row["metrics"].items():
                key, step = f"{row['split']}/{name}", row["step"]
                if step <= self._mirrored.get(key, -1):
                    continue
                if math.isinf(float(value)):  # MLflow would store the largest float there is
                    tags.append(RunTag(f"{key} at step {step}", str(value)))
                else:
                    points.append(Metric(key, float(value), milliseconds, step))
        for start in range(0, len(points), METRICS_PER_CALL):
            self._client.log_batch(self._run_id, metrics=points[start : start + METRICS_PER_CALL])
        for tag in tags:
            self._client.set_tag(self._run_id, tag.key, tag.value)
        self._offset += len(data)

    def _complain(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            reason = re.sub(r"//[^/@\s]*@", "//***@", reason.splitlines()[0])  # a password in an address
            self._warn(f"MLflow does not mirror this run, which goes on: {reason}")
