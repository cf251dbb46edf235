"""A saver to be killed; it imports no torch, to start fast.

`save_loop.py FOLDER save STEP EDITION`, `save_loop.py FOLDER background STEP EDITION` or `save_loop.py FOLDER rotate`.
"""

from __future__ import annotations

import sys
from typing import Any

from codex._core import CheckpointWriter, checkpoint_rotate, checkpoint_save

KEEP_ONE = (1, None, 0, "held_out_bits_per_byte", False, ())
KEEP_ALL = (100, None, 0, "held_out_bits_per_byte", False, ())


def weights(step: int, edition: int) -> bytes:
    """What the tensor of `step` holds, 300 kB, so that it is written in more than one call."""
    return bytes((index * step + edition) % 251 for index in range(1000)) * 300


def contents(step: int, edition: int) -> Any:
    """One tensor of `weights` for the model, small ones for the rest, and two small files."""
    model = ("model.safetensors", [("weights", "F32", (75_000,), weights(step, edition))], {}, {})
    others = [(f"{name}.safetensors", [("x", "U8", (3,), b"xyz")], {}, {}) for name in ("optimizer", "state")]
    return step, [model, *others], [("state.json", b"{}"), ("config.json", b"{}")], [], "xxh3", 10**9


def save_step(folder: str, step: int, edition: int) -> None:
    """Save and return."""
    checkpoint_save(folder, contents(step, edition))


def save_in_background(folder: str, step: int, edition: int) -> None:
    """Save twice on a thread, and rotate all but the last away."""
    writer = CheckpointWriter(folder)
    for number in (step, step + 1):
        writer.submit(contents(number, edition), KEEP_ONE)
    for *_, error in writer.finished(0):
        if error is not None:
            raise error


if __name__ == "__main__":
    folder, action, *numbers = sys.argv[1:]
    if action == "rotate":
        checkpoint_rotate(folder, KEEP_ONE, False)
    elif action == "background":
        save_in_background(folder, *map(int, numbers))
    else:
        save_step(folder, *map(int, numbers))
