"""The folder of one run: who owns it, what it was given, and everything that is kept in it.

    runs/base/  config.yaml            the configuration as it was given
                config.resolved.yaml   every key of it, as the run used it
                environment.json       versions, git, hardware, variables
                lineage.json           raw files -> records -> shards -> checkpoints, by digest
                metrics.ndjson system.ndjson log.ndjson
                checkpoints/  evaluation/
                latest  best           names of checkpoints, for people; nothing reads them back
                run.lock               held by the process that owns the run

`Run.start` is where to begin. A folder appears whole, by one rename, or not at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from codex.config import Config, LoadedConfig, dump_yaml, load
from codex.config.changes import Change, differing_keys, refuse_changes
from codex.errors import (
    CodexError,
    DiskFullError,
    Interrupted,
    MachineError,
    MissingExtraError,
    UsageError,
)
from codex.file import Lock, PartialFolder, create_folder, sweep_partial, write_atomic
from codex.track.environment import describe_environment
from codex.track.journal import Journal
from codex.track.lineage import Lineage
from codex.track.mlflow import Mirror, require_mlflow
from codex.track.system import Sampler

__all__ = ["Run", "find_runs"]

RESOLVED = "config.resolved.yaml"
_UNFINISHED = re.compile(r"\.partial-\d+-\d+\Z")  # a folder of `PartialFolder` before its rename


class Run:
    """One run, owned by this process from `start` to the end of the `with` block.

    Args are the parts that `start` has put together; call that.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        lock: Lock,
        *,
        is_resumed: bool,
        changes: Sequence[Change] = (),
        warn: Callable[[str], None] | None,
    ) -> None:
        self.folder = folder
        self.config = config
        self.is_resumed = is_resumed
        self.changes = changes
        """Keys that a resumed run has been given anew."""
        self.journal = Journal(folder, warn)
        self.lineage = Lineage(folder)
        self._lock = lock
        self._warn = warn or (lambda line: None)
        self._sampler: Sampler | None = None
        self._mirror: Mirror | None = None
        self._has_begun = False
        self._is_finished = False
        self.journal.log("opened", "to resume it" if is_resumed else "a fresh run", process=os.getpid())
        for part in (self.checkpoints, self.evaluation):
            create_folder(part)

    @classmethod
    def start(
        cls,
        loaded: LoadedConfig,
        *,
        resume: bool = False,
        allow_changes: bool = False,
        warn: Callable[[str], None] | None = None,
    ) -> Run:
        """Make the folder of a fresh run, or take the newest one of that name to go on with it.

        Args:
            loaded: its `run.name`, else its file's stem, names the run; a name that is taken gets `-2`, `-3` ...
            resume: go on with the newest run of that name; without one, begin a fresh run.
            allow_changes: whether a resumed run may be given keys under which its steps would have been others.
            warn: told in one line what goes wrong without stopping the run.
        Raises:
            LockError: if another process owns the run.
            ConfigError: if a resumed run is given a configuration it may not change to, a line for each key.
            MissingExtraError: if `track.mlflow` is true and MLflow is not installed.
            MachineError: if the folder cannot be made.
        """
        config = loaded.config
        if config.track.mlflow:
            require_mlflow(config.track.mlflow_uri)
        directory = Path(config.run.directory)
        name = loaded.run_name
        _make_directory(directory)
        sweep_partial(directory)
        earlier = find_runs(directory, name)
        if resume and earlier:
            folder = earlier[-1]
            lock = Lock(folder / "run.lock")
            try:
                changes = differing_keys(load(folder / RESOLVED).config, config)
                refuse_changes(changes, f"run `{folder}`", allowed=allow_changes)
                run = cls(folder, config, lock, is_resumed=True, changes=changes, warn=warn)
            except BaseException:
                lock.release()
                raise
            if changes:
                write_atomic(folder / RESOLVED, dump_yaml(config).encode())
                run.record_changes(changes)
            return run
        files = {
            "config.yaml": loaded.text.encode(),
            RESOLVED: dump_yaml(config).encode(),
            "environment.json": json.dumps(describe_environment(), indent=2).encode() + b"\n",
        }
        folder = _made_whole(directory, name, files)
        return cls(folder, config, Lock(folder / "run.lock"), is_resumed=False, warn=warn)

    @staticmethod
    def recorded(loaded: LoadedConfig) -> Config | None:
        """What the newest run of the name of `loaded` was given; None if there is no such run."""
        earlier = find_runs(Path(loaded.config.run.directory), loaded.run_name)
        return load(earlier[-1] / RESOLVED).config if earlier else None

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name

    @property
    def checkpoints(self) -> Path:
        """Where `codex.checkpoint` saves."""
        return self.folder / "checkpoints"

    @property
    def evaluation(self) -> Path:
        """Where what was measured at the end is kept."""
        return self.folder / "evaluation"

    def record_changes(self, changes: Sequence[Change]) -> None:
        """Write down which keys have another value than in the steps before."""
        said = [str(change) for change in changes]
        self.journal.log("configuration-changed", "; ".join(said), changed=said)

    def record_data(self, stages: list[dict[str, Any]]) -> None:
        """Write down which data the run is trained on; a resumed run refuses other data."""
        self.lineage.record_data(stages)

    def begin(self, step: int) -> None:
        """Go on after `step`, 0 for a fresh run: what was written about later steps is superseded.

        The sampler of the machine and the mirror to MLflow run from here to the end.
        """
        self._has_begun = True
        moved = self.journal.rewind(step)
        self.lineage.forget_after(step)
        self.journal.log(
            "resumed" if self.is_resumed else "started",
            f"from step {step} of {self.config.train.max_steps}",
            step=step,
            config=self.config.digest,
            superseded_rows=moved,
        )
        if self.config.track.system_metrics:
            try:
                self._sampler = Sampler(self.journal.system, self.folder)
            except MissingExtraError as absent:
                self._warn(f"{absent}; {absent.hint}")
                self.journal.log("system-metrics-absent", str(absent), level="warning")
        if self.config.track.mlflow:
            self._mirror = Mirror(
                self.folder,
                uri=self.config.track.mlflow_uri,
                parameters=_flattened(self.config),
                tags={"codex.config": self.config.digest, "codex.run": self.name},
                warn=self._warn,
            )

    def record_checkpoint(self, path: Path, step: int, *, is_best: bool = False) -> None:
        """Write down a checkpoint that `codex.checkpoint.save` has made."""
        self.lineage.record_checkpoint(path.name, step, path)
        write_atomic(self.folder / "latest", f"{path.name}\n".encode())
        if is_best:
            write_atomic(self.folder / "best", f"{path.name}\n".encode())

    def finish(self, **facts: Any) -> None:
        """The run has done all its steps; `facts` are kept with the event."""
        self.journal.log("finished", "all steps are done", **facts)
        self._is_finished = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status: Literal["FINISHED", "KILLED", "FAILED"] = "FINISHED"
        if not self._is_finished:
            is_wanted = isinstance(error, Interrupted | KeyboardInterrupt)
            status = "KILLED" if is_wanted else "FAILED"
            reason = f"{type(error).__name__}: {error}" if error else "left before its last step"
            self.journal.log("stopped", reason, level="info" if is_wanted else "error")
        if self._sampler:
            self._sampler.close()
        self.journal.sync()
        if self._mirror:
            self._mirror.close(status)
        self.journal.close()
        if (
            isinstance(error, CodexError)
            and not isinstance(error, Interrupted)
            and not (self._has_begun or self.is_resumed)
        ):
            self._leave_nothing()
        self._lock.release()

    def _leave_nothing(self) -> None:
        """A fresh run that was refused before its first step, for want of data say, was never there."""
        aside = self.folder.with_name(f"{self.name}.partial-{os.getpid()}-0")
        try:
            self.folder.rename(aside)  # in one step: half a folder is no run
            shutil.rmtree(aside)
        except OSError as error:
            self._warn(f"`{self.folder}` could not be removed: {error}")


def find_runs(directory: Path, name: str | None = None) -> list[Path]:
    """The run folders in `directory`, the newest of a name last; all of them, or those of one name.

    `base`, `base-2` and `base-10` are of one name, and the highest number is the newest: clocks are not asked.
    """
    found = []
    for folder in directory.iterdir() if directory.is_dir() else ():
        if _UNFINISHED.search(folder.name):
            continue
        stem, number = _split_number(folder.name, name)
        if (name is None or stem == name) and (folder / RESOLVED).is_file():
            found.append((stem, number, folder))
    return [folder for *_, folder in sorted(found)]


def _split_number(folder: str, name: str | None) -> tuple[str, int]:
    if folder == name:
        return folder, 1
    stem, number = re.fullmatch(r"(.*?)(?:-([2-9]|[1-9][0-9]+))?", folder, re.DOTALL).groups()  # type: ignore[union-attr]
    return stem, int(number or 1)


def _made_whole(directory: Path, name: str, files: dict[str, bytes]) -> Path:
    """A new folder with `files` in it, under the next free name."""
    while True:
        folder = directory / _free_name(directory, name)
        try:
            with PartialFolder(folder) as partial:
                for path, content in files.items():
                    partial.write(path, content)
        except UsageError:
            if not folder.exists():
                raise
            continue  # another process was quicker: the name after it
        return folder


def _free_name(directory: Path, name: str) -> str:
    """The number after the highest, so that one that was deleted does not come back as the newest."""
    taken = [
        number
        for stem, number in (_split_number(entry.name, name) for entry in directory.iterdir())
        if stem == name
    ]
    return f"{name}-{max(taken) + 1}" if taken else name


def _make_directory(directory: Path) -> None:
    try:
        create_folder(directory)
    except DiskFullError:
        raise
    except CodexError as error:
        raise MachineError(
            f"cannot make the folder of runs: {error}", hint="name another place with `run.directory=DIR`"
        ) from error


def _flattened(config: Config) -> dict[str, str]:
    """Every key with its value as JSON text."""
    return {
        f"{section}.{key}": json.dumps(value)
        for section, keys in config.model_dump(mode="json").items()
        for key, value in keys.items()
    }
