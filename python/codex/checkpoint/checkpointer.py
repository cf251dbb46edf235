"""Save again and again into one folder: on return, or on a thread that Python does not wait for.

An asynchronous save copies everything into kept memory and returns; a thread of the crate writes it, syncs it, gives it its
name and rotates, without the interpreter. There are two buffers: a third save waits for the first. Errors of the thread are
raised by the next call, and told on stderr if there is none before the interpreter ends.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from codex._core import CheckpointWriter, checkpoint_rotate, checkpoint_save
from codex.checkpoint.find import Skipped
from codex.checkpoint.kept import KeptBuffer
from codex.checkpoint.memory import where_they_lie
from codex.checkpoint.rotate import HELD_OUT_METRIC, AnyPath, Rotation, retention
from codex.checkpoint.save import SHARD_BYTES, contents
from codex.errors import CodexError, UsageError

if TYPE_CHECKING:
    from typing import Self

    from codex.checkpoint.save import Tensors

__all__ = ["Checkpointer"]

#: One is written while the next is filled.
BUFFERS = 2


class HasCheckpoints(Protocol):
    """A run: it knows where its checkpoints are."""

    @property
    def checkpoints(self) -> Path: ...


class Checkpointer:
    """Saves checkpoints into one folder and keeps those that are wanted.

    Args:
        checkpoints: the folder of checkpoints, or a run that has one.
        keep_last, keep_every_steps, keep_best, metric, highest, protect: which stay, as for `rotate`.
        asynchronous: whether `save` returns once everything is copied, and a thread does the rest. It costs
            the memory of what is saved once more, and twice where saves come faster than the disk takes them.
        digest: `xxh3` or `sha256`, as for `save`.
        shard_bytes: as for `save`.

    It belongs to the process that made it: in a fork every call but the end of a `with` is refused.

    >>> import tempfile, torch
    >>> weight = torch.ones(2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Checkpointer(folder, keep_last=2, asynchronous=True) as checkpointer:
    ...         for step in 1, 2, 3:
    ...             checkpointer.save(step, model={"weight": weight})
    ...             weight += 1  # what is saved is what was there when `save` was called
    ...     checkpointer.saved.name, sorted(path.name for path in Path(folder).glob("step-*"))
    ('step-00000003', ['step-00000002', 'step-00000003'])
    """

    def __init__(
        self,
        checkpoints: Path | str | HasCheckpoints,
        *,
        keep_last: int,
        keep_every_steps: int | None = None,
        keep_best: int = 0,
        metric: str = HELD_OUT_METRIC,
        highest: bool = False,
        protect: Iterable[AnyPath] = (),
        asynchronous: bool = False,
        digest: str = "xxh3",
        shard_bytes: int = SHARD_BYTES,
    ) -> None:
        self._folder = Path(checkpoints if isinstance(checkpoints, str | Path) else checkpoints.checkpoints)
        self._keep = retention(keep_last, keep_every_steps, keep_best, metric, highest, protect)
        self._digest, self._shard_bytes = digest, shard_bytes
        self._owner = os.getpid()
        self._writer = CheckpointWriter(self._folder) if asynchronous else None
        self._free = [KeptBuffer() for _ in range(BUFFERS)]
        self._busy: deque[KeptBuffer] = deque()
        self._errors: list[CodexError] = []
        self._saved: Path | None = None
        self._rotation: Rotation | None = None
        self._is_closed = False
        if self._writer is not None:
            weakref.finalize(self, _tell_the_end, self._writer, self._errors, self._owner)

    def save(
        self,
        step: int,
        *,
        model: Tensors,
        optimizer: Tensors = MappingProxyType({}),
        state_tensors: Tensors = MappingProxyType({}),
        state: Mapping[str, Any] = MappingProxyType({}),
        files: Mapping[str, bytes] = MappingProxyType({}),
        parents: Sequence[str] = (),
    ) -> None:
        """Save a checkpoint and rotate; arguments as for `codex.checkpoint.save`.

        Synchronous: durable on return. Asynchronous: the tensors may change on return; if two saves are under
        way, the older one is waited for first.

        Raises:
            UsageError: if it cannot be stored as it is, or the checkpointer is closed.
            CodexError: what an earlier save on the thread met; this one has not been begun.
        """
        if self._is_closed:
            raise UsageError("the checkpointer is closed, so it saves no more")
        self._settle(BUFFERS - 1)
        buffer = self._free[-1]  # the one used last: a second is filled only while the first is written
        handed = contents(
            step,
            model=model,
            optimizer=optimizer,
            state_tensors=state_tensors,
            state=state,
            files=files,
            parents=parents,
            digest=self._digest,
            shard_bytes=self._shard_bytes,
            keep=where_they_lie if self._writer is None else buffer.copy,
        )
        if self._writer is None:
            self._saved = checkpoint_save(self._folder, handed)
            self._note(*checkpoint_rotate(self._folder, self._keep, False))
        else:
            self._writer.submit(handed, self._keep)
            self._busy.append(self._free.pop())

    def wait(self) -> None:
        """Return when everything handed over is saved and rotated.

        Raises:
            CodexError: what a save on the thread met, once.
        """
        self._settle(0)

    def close(self) -> None:
        """Wait, and take no more saves; a `with` ends in this. Errors as `wait`."""
        self._is_closed = True
        self._settle(0)

    @property
    def saved(self) -> Path | None:
        """The newest checkpoint that is on the disk; costs nothing, and waits for nothing."""
        self._collect(BUFFERS)
        return self._saved

    @property
    def rotation(self) -> Rotation | None:
        """What the newest rotation did."""
        self._collect(BUFFERS)
        return self._rotation

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() != self._owner:
            return
        if error is None:
            self.close()
            return
        try:
            self.close()
        except CodexError as failure:
            error.add_note(f"and a save had failed: {failure}")

    def _settle(self, in_flight: int) -> None:
        """Wait until at most so many saves are under way, and raise what the finished ones met."""
        self._collect(in_flight)
        if self._errors:
            first, *others = self._errors
            self._errors.clear()
            for other in others:
                first.add_note(f"and later: {other}")
            raise first

    def _collect(self, in_flight: int) -> None:
        if self._writer is None:
            return
        for _, path, removed, skipped, error in self._writer.finished(in_flight):
            self._free.append(self._busy.popleft())
            if path is not None:
                self._saved = path
            if error is None:
                self._note(removed, skipped)
            else:
                self._errors.append(error)

    def _note(self, removed: list[Path], skipped: list[tuple[Path, str]]) -> None:
        self._rotation = Rotation(removed, [Skipped(*row) for row in skipped])


def _tell_the_end(writer: CheckpointWriter, errors: list[CodexError], owner: int) -> None:
    """Finish what is under way when the checkpointer or the interpreter ends, and say what nobody was told."""
    if os.getpid() == owner:
        finished = writer.finished(0)
        errors.extend(error for *_, error in finished if error is not None)
        for error in errors:
            print(f"error: a checkpoint is not as it should be: {error}", file=sys.stderr)
