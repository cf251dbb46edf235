"""The checkpoints of a run: saved, written down once they are on the disk, and never in the way of training.

A save is under way until `settle` has seen its end: at once, or, with `checkpoint.asynchronous`, when it is done. Only then
do lineage, `latest` and `best` name it, so they never name what a power cut could take back. The next save waits for the
one before, so each is written down before rotation could remove it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from codex import checkpoint
from codex.config.schema import Checkpoint
from codex.errors import DiskFullError
from codex.track.run import Run
from codex.train.progress import Progress

__all__ = ["Saves", "checkpoint_path"]


def checkpoint_path(run: Run, step: int) -> Path:
    """Where the checkpoint of a step lies, once it is there."""
    return run.checkpoints / f"step-{step:08}"


@dataclass(frozen=True, slots=True)
class _UnderWay:
    path: Path
    step: int
    is_best: bool


class Saves:
    """What is kept of one run.

    Args:
        run: where it is written down.
        config: `config.checkpoint`.
        resumed: the checkpoint in the run that this process goes on from, which stays while it does.
        progress: told of a full disk.
    """

    def __init__(self, run: Run, config: Checkpoint, resumed: Path | None, progress: Progress) -> None:
        self.newest: Path | None = None
        """The newest checkpoint that is on the disk."""
        self.newest_step: int | None = None
        self.lost_step: int | None = None
        """The step whose save last met a full disk."""
        self._run = run
        self._progress = progress
        self._kept: dict[str, Any] = {
            "keep_last": config.keep_last,
            "keep_every_steps": config.keep_every_steps,
            "keep_best": config.keep_best,
            "metric": config.best_metric,
            "highest": config.best_direction == "highest",
        }
        self._protect = [] if resumed is None else [resumed]
        self._under_way: _UnderWay | None = None
        self._writer = checkpoint.Checkpointer(
            run.checkpoints,
            **self._kept,
            protect=self._protect,
            digest=config.digest,
            asynchronous=config.asynchronous,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def save(self, step: int, *, is_best: bool, **parts: Any) -> None:
        """Begin the save of a step; the one before has been settled.

        Args:
            step: updates done.
            is_best: whether it is the best so far.
            parts: as `codex.checkpoint.save` takes them.
        """
        try:
            self._writer.save(step, **parts)
        except DiskFullError as error:
            self._lost(step, error)
        else:
            self._under_way = _UnderWay(checkpoint_path(self._run, step), step, is_best)

    @property
    def is_done(self) -> bool:
        """Whether a save is under way whose bytes are on the disk; cheap, to be asked at every step."""
        return self._under_way is not None and self._writer.saved == self._under_way.path

    def settle(self) -> None:
        """Wait for the save under way, and write it down; a full disk is a warning.

        Raises:
            MachineError: if the disk refused for another reason.
        """
        if self._under_way is None:
            return
        done, self._under_way = self._under_way, None
        try:
            self._writer.wait()
        except DiskFullError as error:
            self._lost(done.step, error)
        else:
            self._write_down(done.path, done.step, is_best=done.is_best)

    def adopt(self, path: Path, step: int, *, is_best: bool) -> None:
        """Do again what follows a save: a kill may have come between this one and that."""
        self._write_down(path, step, is_best=is_best)
        checkpoint.rotate(self._run.checkpoints, **self._kept, protect=self._protect)

    def release(self) -> None:
        """The run is done: the checkpoint it went on from has no right of its own to stay any more."""
        if self._protect:
            checkpoint.rotate(self._run.checkpoints, **self._kept)

    def _write_down(self, path: Path, step: int, *, is_best: bool) -> None:
        self.newest, self.newest_step = path, step
        self._run.record_checkpoint(path, step, is_best=is_best)

    def _lost(self, step: int, error: DiskFullError) -> None:
        self.lost_step = step
        self._progress.warn(f"DISK FULL: step {step} is NOT saved, training goes on: {error}")
        self._run.journal.log("not-saved", str(error), level="error", step=step)
