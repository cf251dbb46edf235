"""Tokens to weights: the loop, its optimizers, and the resume that gives the same bits.

`train` does the whole main job; `learner.py` is the one place where weights change.
"""

from __future__ import annotations

from codex.train.progress import Progress, Silent
from codex.train.run import train
from codex.train.summary import Summary

__all__ = ["Progress", "Silent", "Summary", "train"]
