"""The tiny run: its keys, its corpus, who listens to it, and how two of them are compared."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from codex.config import LoadedConfig
from codex.track.journal import differences

__all__ = ["TINY", "Settings", "Talk", "assert_same_end", "write_corpus"]

Settings = Callable[..., LoadedConfig]

TINY = {
    "run.name": "tiny",
    "data.corpus": "null",
    "tokens.vocabulary_size": "300",
    "model.width": "16",
    "model.layers": "1",
    "model.heads": "2",
    "model.key_value_heads": "1",
    "model.context": "16",
    "model.feed_forward_width": "24",
    "train.max_steps": "12",
    "train.warmup_steps": "2",
    "train.micro_batch_size": "4",
    "train.log_every_steps": "3",
    "train.device": "cpu",
    "train.precision": "fp32",
    "train.threads": "1",
    "checkpoint.every_steps": "4",
    "evaluate.every_steps": "4",
    "evaluate.held_out_tokens": "256",
    "evaluate.stride": "8",
    "track.system_metrics": "false",
    "generate.max_tokens": "8",
}


def write_corpus(folder: Path, files: int = 24, seed: int = 5) -> None:
    """Files that look like Python, each different."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    words = ["spam", "eggs", "ham", "count", "index", "value", "self", "name", "path", "line"]
    for number in range(files):
        lines = []
        for _ in range(20):
            a, b, c = draw.choices(words, k=3)
            lines.append(
                f"def {a}_{number}({b}):\n    {c} = {b}.{a}({draw.randrange(100)})\n    return {c}\n"
            )
        (folder / f"{number:03}.py").write_text("\n".join(lines))


class Talk:
    """Keeps what it is told; may send a signal when a step is done."""

    def __init__(self, *, stop_at: int | None = None, number: int = signal.SIGINT) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self._stop_at = stop_at
        self._number = number

    def say(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, line: str) -> None:
        self.warnings.append(line)

    def step(self, stage: str, done: int, total: int, note: str = "") -> None:
        if stage == "train" and done == self._stop_at:
            os.kill(os.getpid(), self._number)


def assert_same_end(one: Path, other: Path) -> None:
    """Two runs ended with the same bytes: checkpoint, report, lineage and, times and rates aside, journal."""
    last = sorted((one / "checkpoints").glob("step-*"))[-1].name
    for name in sorted(path.name for path in (one / "checkpoints" / last).iterdir()):
        first, second = ((run / "checkpoints" / last / name).read_bytes() for run in (one, other))
        if name in ("state.json", "manifest.json"):
            # The folder of runs is a key of the configuration, and the two lie in different folders.
            continue
        assert first == second, f"{last}/{name} differs"
    for name in sorted(path.name for path in (one / "evaluation").iterdir()):
        assert (one / "evaluation" / name).read_bytes() == (other / "evaluation" / name).read_bytes(), name
    assert differences(one / "metrics.ndjson", other / "metrics.ndjson") == []
