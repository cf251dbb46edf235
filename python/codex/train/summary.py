"""What a run came to, as facts for a program and as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codex.train.report import Report

__all__ = ["Summary"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished run."""

    run: Path
    checkpoint: Path
    step: int
    first_step: int
    """Where this process began: 0, or the step it resumed from."""
    was_finished: bool
    """Whether nothing was left to do."""
    parameters: int
    learned_parameters: int
    """All of them, or those of an adapter."""
    tokens: int
    """Trained on, over all processes of the run."""
    report: Report
    seconds: Mapping[str, float]
    """Where the time of this process went."""
    tokens_per_second: float | None
    """While training, in this process; None if it made no step."""
    own_share: float | None
    """Of the training time, what the loop adds to forward, backward and optimizer: batches, journal, progress."""
    resume_command: str
    generate_command: str

    def facts(self) -> dict[str, Any]:
        """Plain values."""
        values = {name: getattr(self, name) for name in self.__slots__ if name != "report"}
        return {**values, "evaluation": asdict(self.report)}

    def lines(self) -> list[str]:
        """For a person."""
        report = self.report
        share = f"{report.python_line_share:.0%} of {report.sample_lines} lines tokenize as Python"
        if self.was_finished:
            lines = [f"run         {self.run} was finished at step {self.step}: nothing was left to do"]
        else:
            since = f", from step {self.first_step}" if self.first_step else ""
            lines = [f"run         {self.run}: {self.step} steps{since}"]
        return [
            *lines,
            f"model       {self.parameters:,} parameters, {self._learned()}{self.tokens:,} tokens seen",
            f"held out    {report.bits_per_byte:.4f} bits per byte ({report.held_out_bytes:,} bytes,"
            f" {report.held_out_documents:,} documents)",
            f"            {report.xz_bits_per_byte:.4f} xz -9e",
            f"            {report.gzip_bits_per_byte:.4f} gzip -9",
            *self._time_lines(),
            f"sample      {share}",
            *(f"  | {line}" for line in (report.prompt + report.sample).splitlines()),
            f"checkpoint  {self.checkpoint}",
            f"resume      {self.resume_command}",
            f"generate    {self.generate_command}",
        ]

    def _learned(self) -> str:
        is_whole = self.learned_parameters == self.parameters
        return "" if is_whole else f"{self.learned_parameters:,} of them learned, "

    def _time_lines(self) -> list[str]:
        total = sum(self.seconds.values())
        spent = ", ".join(
            f"{name} {s:.1f} s ({s / total:.0%})" for name, s in self.seconds.items() if s and total
        )
        lines = [f"time        {total:.1f} s: {spent}"]
        if self.tokens_per_second is not None and self.own_share is not None:
            lines.append(
                f"speed       {self.tokens_per_second:,.0f} tokens/s; our own calls take {self.own_share:.2%} of a step"
            )
        return lines
