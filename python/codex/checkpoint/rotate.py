"""Remove the checkpoints that are no longer wanted, once a newer one is safe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from codex._core import checkpoint_rotate
from codex.checkpoint.find import Skipped
from codex.errors import UsageError

__all__ = ["HELD_OUT_METRIC", "Rotation", "retention", "rotate"]

#: What best means unless told otherwise: bits per byte on held-out text, lower is better.
HELD_OUT_METRIC = "held_out_bits_per_byte"

AnyPath: TypeAlias = str | PathLike[str]
Retention: TypeAlias = tuple[int, int | None, int, str, bool, list[AnyPath]]


@dataclass(frozen=True)
class Rotation:
    """What a rotation did, or would do."""

    removed: list[Path]
    #: Damaged ones: left alone, and why.
    skipped: list[Skipped]


def rotate(
    checkpoints: Path | str,
    *,
    keep_last: int,
    keep_every_steps: int | None = None,
    keep_best: int = 0,
    metric: str = HELD_OUT_METRIC,
    highest: bool = False,
    protect: Iterable[AnyPath] = (),
    dry_run: bool = False,
) -> Rotation:
    """Remove the checkpoints that there is no reason to keep; the newest that verifies always stays.

    The newest is read to the last byte before anything goes, and nothing goes if none verifies. Each
    removal is one rename, then the deletion: a kill leaves no half checkpoint. One with a pin, a file
    `step-00001000.pin` beside its folder, stays whatever the rules say.

    Args:
        checkpoints: the folder of checkpoints.
        keep_last: so many of the newest stay, by the step in the manifest.
        keep_every_steps: those whose step is a multiple of this stay.
        keep_best: so many of the best stay, by `metric` in the state; of two equals the newer.
        metric: what best means.
        highest: whether a high value is a good one.
        protect: checkpoints that stay, those a run was resumed from for instance.
        dry_run: only say what would go; nothing is written.
    Raises:
        UsageError: for a negative count.
        LockError: while another process saves or rotates here.

    >>> import tempfile
    >>> from codex.checkpoint import save
    >>> nothing = {"model": {}, "optimizer": {}, "state_tensors": {}, "files": {}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step, loss in (10, 2.5), (20, 3.5), (30, 3.0):
    ...         path = save(folder, step, state={"metrics": {"loss": loss}}, **nothing)
    ...     [path.name for path in rotate(folder, keep_last=1, keep_best=1, metric="loss").removed]
    ['step-00000020']
    """
    keep = retention(keep_last, keep_every_steps, keep_best, metric, highest, protect)
    removed, skipped = checkpoint_rotate(checkpoints, keep, dry_run)
    return Rotation(removed, [Skipped(*row) for row in skipped])


def retention(
    keep_last: int,
    keep_every_steps: int | None,
    keep_best: int,
    metric: str,
    highest: bool,
    protect: Iterable[AnyPath],
) -> Retention:
    """The rules as the crate takes them.

    Raises:
        UsageError: for a negative count.
    """
    if keep_last < 0 or keep_best < 0:
        raise UsageError(f"`keep_last` is {keep_last} and `keep_best` is {keep_best}, expected at least 0")
    if keep_every_steps is not None and keep_every_steps < 1:
        raise UsageError(f"`keep_every_steps` is {keep_every_steps}, expected at least 1")
    return keep_last, keep_every_steps, keep_best, metric, highest, list(protect)
