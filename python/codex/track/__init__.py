"""What was run, from which data, on what machine, and how it went: the run folder and everything that is kept in it.

`Run.start` is where to begin; the journal in the folder is the truth, MLflow a mirror of it.
"""

from __future__ import annotations

from codex.track.journal import Journal, differences
from codex.track.run import Run

__all__ = ["Journal", "Run", "differences"]
