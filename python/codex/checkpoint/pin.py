"""A pin keeps a checkpoint from every rotation: an empty file beside it, `step-00001000.pin`."""

from __future__ import annotations

import os
from pathlib import Path

from codex.errors import MissingDataError
from codex.file import Lock, write_atomic

__all__ = ["is_pinned", "pin", "unpin"]


def pin(checkpoint: Path | str) -> Path:
    """Keep a checkpoint whatever rotations come; durable when this returns.

    Returns:
        The pin.
    Raises:
        MissingDataError: if there is no such folder.
        LockError: while another process saves or rotates here.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = Path(folder, "step-00000007")
    ...     checkpoint.mkdir()
    ...     pin(checkpoint).name, is_pinned(checkpoint), unpin(checkpoint), is_pinned(checkpoint)
    ('step-00000007.pin', True, True, False)
    """
    checkpoint = Path(checkpoint).absolute()
    with _turn(checkpoint):
        write_atomic(_pin_of(checkpoint), b"")
    return _pin_of(checkpoint)


def unpin(checkpoint: Path | str) -> bool:
    """Give a checkpoint back to rotation; False if it had no pin. Errors as `pin`."""
    checkpoint = Path(checkpoint).absolute()
    with _turn(checkpoint):
        if not is_pinned(checkpoint):
            return False
        _pin_of(checkpoint).unlink()
        folder = os.open(checkpoint.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return True


def is_pinned(checkpoint: Path | str) -> bool:
    """Whether rotation leaves it alone."""
    return _pin_of(Path(checkpoint).absolute()).exists()


def _pin_of(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.pin")


def _turn(checkpoint: Path) -> Lock:
    """The lock of savers and rotators: none of them is between looking for the pin and removing the folder."""
    if not checkpoint.is_dir():
        raise MissingDataError(f"no checkpoint is at `{checkpoint}`")
    return Lock(checkpoint.parent / "writer.lock")
