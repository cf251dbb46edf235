"""Where a run's weights come from: raw files -> records -> shards -> checkpoints, by digest, and the checkpoint it began
with if its weights were not drawn.

`lineage.json` holds no time and no path of this machine, so two runs of the same configuration on the same data have the
same bytes in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from codex.errors import DataError
from codex.file import read_manifest, seal_manifest, write_atomic

__all__ = ["Lineage"]

KIND = "lineage"
SCHEMA_VERSION = 1


class Lineage:
    """`lineage.json` of one run; every change is on the disk when the call returns.

    Args:
        folder: the run folder; what it has recorded already is read and verified.
    Raises:
        DamageError: if the file was changed by anyone but us.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lineage.json"
        self.data: list[dict[str, Any]] = []
        self.checkpoints: list[dict[str, Any]] = []
        #: Of the weights that training started from; None if they were drawn.
        self.pretrained: dict[str, Any] | None = None
        if self.path.exists():
            kept = read_manifest(self.path, kind=KIND, schema_version=SCHEMA_VERSION)
            self.data, self.checkpoints = kept["data"], kept["checkpoints"]
            self.pretrained = kept.get("pretrained")

    def record_data(self, stages: Sequence[Mapping[str, Any]]) -> None:
        """The stages that made the data, as `codex.data` names them.

        Raises:
            DataError: if this run was trained on other data before.
        """
        given = [dict(stage) for stage in stages]
        if self.data and self.data != given:
            changed = next(old or new for old, new in zip_longest(self.data, given) if old != new)
            raise DataError(
                f"the data is not what this run began with: `{changed.get('kind', 'data')}` has changed"
                f" since `{self.path}` was written",
                hint="bring the old data back, or start a fresh run: leave `--resume` out",
            )
        self.data = given
        self._write()

    def record_pretrained(self, step: int, digest: str) -> None:
        """The checkpoint whose weights training starts from, by the digest of its manifest.

        Raises:
            DataError: if this run began with another one.
        """
        given = {"step": step, "digest": digest}
        if self.pretrained not in (None, given):
            raise DataError(
                f"`model.pretrained` is not the checkpoint that this run began with (`{self.path}`)",
                hint="bring the old one back, or start a fresh run: leave `--resume` out",
            )
        self.pretrained = given
        self._write()

    def record_checkpoint(self, name: str, step: int, manifest: Path) -> None:
        """A checkpoint that was saved, by the digest of its manifest."""
        digest = read_manifest(manifest)["digest"]
        self.checkpoints = [kept for kept in self.checkpoints if kept["step"] < step]
        self.checkpoints.append({"name": name, "step": step, "digest": digest})
        self._write()

    def forget_after(self, step: int) -> None:
        """Drop the checkpoints of later steps: a resumed run makes them again."""
        if any(kept["step"] > step for kept in self.checkpoints):
            self.checkpoints = [kept for kept in self.checkpoints if kept["step"] <= step]
            self._write()

    def _write(self) -> None:
        content = {
            "kind": KIND,
            "schema_version": SCHEMA_VERSION,
            "data": self.data,
            "checkpoints": self.checkpoints,
            **({} if self.pretrained is None else {"pretrained": self.pretrained}),
        }
        write_atomic(self.path, seal_manifest(content))
