"""What checking prepared data comes to: what is damaged, what differs from the raw files, what was not compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Problem", "Report"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written, or not as what it was made from gives it."""

    path: str
    """The file or folder."""
    part: str
    """What of it: `manifest`, `record 12`, `counts`, `document 3`, `raw file a.txt` ..."""
    reason: str


@dataclass(slots=True)
class Report:
    """What `verify` found."""

    checked: list[str] = field(default_factory=list)
    """Folders that were checked, whole or damaged."""
    problems: list[Problem] = field(default_factory=list)
    """Damage: what is here is not what was written, or not what its parents give."""
    differences: list[Problem] = field(default_factory=list)
    """Raw files that are no longer those the records were made from; nothing here is damaged by it."""
    derived: list[str] = field(default_factory=list)
    """Folders of records that were made once more from their raw files, which are the same."""
    unchecked: list[str] = field(default_factory=list)
    """What could not be compared, and why: a parent that is not here."""

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)

    def problem(self, path: Path, part: str, reason: str) -> None:
        """One more piece of damage."""
        self.problems.append(Problem(str(path), part, reason))

    def difference(self, path: Path, part: str, reason: str) -> None:
        """One more raw file that is another."""
        self.differences.append(Problem(str(path), part, reason))
