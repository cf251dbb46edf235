"""A saver to be killed; it imports no torch, to start fast.

`save_loop.py FOLDER save STEP EDITION` or `save_loop.py FOLDER rotate`.
"""

from __future__ import annotations

import sys

from codex._core import checkpoint_rotate, checkpoint_save


def weights(step: int, edition: int) -> bytes:
    """What the tensor of `step` holds, 300 kB, so that it is written in more than one call."""
    return bytes((index * step + edition) % 251 for index in range(1000)) * 300


def save_step(folder: str, step: int, edition: int) -> None:
    """Save one tensor of `weights` and two small files."""
    data = weights(step, edition)
    model = ("model.safetensors", [("weights", "F32", (75_000,), data)], {})
    checkpoint_save(folder, step, [model], [("state.json", b"{}"), ("config.json", b"{}")], [])


if __name__ == "__main__":
    folder, action, *numbers = sys.argv[1:]
    if action == "rotate":
        checkpoint_rotate(folder, 1, 0)
    else:
        save_step(folder, *map(int, numbers))
