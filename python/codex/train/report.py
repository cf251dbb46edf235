"""The end of a run: what its model is worth on all held-out text, beside what compressors need, and a sample of it.

Kept in `evaluation/step-00000830.json` of the run. It holds no time, so two equal runs have the same bytes in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from codex.config import Config
from codex.evaluate import baselines, python_lines
from codex.file import canonical_json, write_atomic
from codex.generate import LanguageModel
from codex.track.rows import read_rows
from codex.track.run import Run
from codex.train.clock import Clock
from codex.train.machine import Machine
from codex.train.material import Measured
from codex.train.progress import Progress

__all__ = ["Report", "make_report", "read_report"]

SPLIT = "held_out_all"
"""Of the journal's row about all held-out text; `held_out` are the rows about its first part, made while training."""


@dataclass(frozen=True, slots=True)
class Report:
    """Final figures of a run."""

    step: int
    bits_per_byte: float
    bits_per_token: float
    gzip_bits_per_byte: float
    xz_bits_per_byte: float
    held_out_bytes: int
    held_out_tokens: int
    held_out_documents: int
    prompt: str
    sample: str
    """What the model wrote after the prompt."""
    sample_lines: int
    python_line_share: float
    """Of the lines of prompt and sample together, those that tokenize as Python."""


def make_report(
    run: Run,
    step: int,
    writer: LanguageModel,
    held_out: Measured,
    texts: Iterable[str],
    *,
    config: Config,
    machine: Machine,
    clock: Clock,
    progress: Progress,
) -> Report:
    """Measure, sample, and keep the report and its row in the journal; done again after a kill, it keeps each once.

    Args:
        run, step: where it is kept.
        writer: the model at that step.
        held_out: all that was held out.
        texts: the same documents as text, in the same order.
    """
    with clock.phase("evaluate"):
        bits = held_out.measure(
            writer.model,
            stride=config.evaluate.stride,
            documents_apart=config.train.packing == "documents",
            autocast=machine.autocast(),
            progress=progress,
        )
        packed = baselines(texts)
    with clock.phase("sample"):
        written = writer.continue_text(config.generate.prompt, config.generate, seed=config.run.seed)
        quality = python_lines(written.prompt + written.text)
    report = Report(
        step=step,
        bits_per_byte=bits.per_byte,
        bits_per_token=bits.per_token,
        gzip_bits_per_byte=packed.gzip,
        xz_bits_per_byte=packed.xz,
        held_out_bytes=bits.bytes,
        held_out_tokens=bits.tokens,
        held_out_documents=bits.documents,
        prompt=written.prompt,
        sample=written.text,
        sample_lines=quality.lines,
        python_line_share=quality.share,
    )
    if not any(
        row["step"] == step and row["split"] == SPLIT for row in read_rows(run.folder / "metrics.ndjson")
    ):
        numbers = {name: value for name, value in asdict(report).items() if not isinstance(value, str)}
        run.journal.metrics(numbers.pop("step"), SPLIT, **numbers)
    content = canonical_json({"schema_version": 1, "kind": "evaluation", **asdict(report)}) + b"\n"
    write_atomic(_path(run, step), content)
    return report


def read_report(run: Run, step: int) -> Report | None:
    """The report of that step, or None if there is none yet, or none that can be read."""
    try:
        content: dict[str, Any] = json.loads(_path(run, step).read_bytes())
        return Report(**{part.name: content[part.name] for part in fields(Report)})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _path(run: Run, step: int) -> Path:
    return run.evaluation / f"step-{step:08}.json"
