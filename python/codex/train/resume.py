"""Which checkpoint a run goes on from, and whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from codex import checkpoint
from codex.checkpoint import Loaded
from codex.checkpoint.pickled import refuse_pickled
from codex.config import Config
from codex.config.changes import Change, differing_keys, refuse_changes
from codex.errors import DamageError, DataError, MissingDataError
from codex.file import canonical_json, sweep_partial, write_atomic
from codex.track.run import Run
from codex.train.machine import Machine
from codex.train.progress import Progress
from codex.train.state import check_state
from codex.train.upgrade import upgraded

__all__ = [
    "check_config",
    "check_tokens",
    "newest_of",
    "open_checkpoint",
    "recorded_config",
    "recorded_machine",
    "remember_machine",
]

_MACHINE = ("train.device", "train.precision", "train.threads")


def newest_of(run: Run, progress: Progress) -> Loaded | None:
    """The newest checkpoint of a run that verifies, or None if it has none; says which, and which were passed over.

    Only its state is read into memory.

    Raises:
        DamageError: if there are checkpoints and not one verifies, or no run can go on from it.
    """
    for folder in (run.folder, run.evaluation):
        sweep_partial(folder)  # what a killed process left half written; checkpoints are swept by each save
    kept = _newest_in(run.checkpoints, progress)
    if kept is None:
        progress.say(f"`{run.folder}` has no checkpoint yet: starting it from step 0")
    return kept


def open_checkpoint(path: Path, progress: Progress) -> Loaded:
    """The state of the checkpoint at `path`, or of the newest that verifies of the run or folder at `path`.

    Raises:
        MissingDataError: if there is none.
        DataError: if it is a pickle.
        DamageError: naming the file and part that are not what was saved, or if no run can go on from it.
    """
    refuse_pickled(path)
    if (path / "manifest.json").is_file():
        checkpoint.verify(path)
        return _opened(path)
    inside = path / "checkpoints"
    folder = inside if inside.is_dir() else path
    kept = _newest_in(folder, progress) if folder.is_dir() else None
    if kept is None:
        raise MissingDataError(
            f"no checkpoint at `{path}`", hint="name a folder such as `runs/base/checkpoints/step-00000100`"
        )
    return kept


def _newest_in(folder: Path, progress: Progress) -> Loaded | None:
    found = checkpoint.find_latest(folder)
    if found is None:
        return None
    for path, reason in found.skipped:
        progress.warn(f"skipped `{path}`: {reason}")
    progress.say(f"resuming from `{found.path}`")
    return _opened(found.path)


def _opened(path: Path) -> Loaded:
    loaded = checkpoint.load(path, parts=())
    kept = replace(loaded, state=upgraded(loaded.state))
    check_state(kept)
    return kept


def recorded_config(kept: Loaded) -> Config:
    """The configuration in a checkpoint.

    Raises:
        DamageError: if it is none of this codex.
    """
    try:
        return Config.model_validate(kept.state["config"])
    except ValueError as error:
        reason = str(error).splitlines()[-2].strip()
        raise DamageError(f"the configuration in `{kept.path}` is none of this codex: {reason}") from None


def check_config(kept: Loaded, config: Config, *, allowed: bool) -> list[Change]:
    """What differs from the configuration of a checkpoint.

    Args:
        kept: the checkpoint.
        config: the configuration now.
        allowed: whether keys may change under which the steps done would have been others.
    Raises:
        ConfigError: with one line for each key that may not change.
        DamageError: if the configuration in the checkpoint is none of this codex.
    """
    changes = differing_keys(recorded_config(kept), config)
    refuse_changes(changes, f"checkpoint `{kept.path}`", allowed=allowed)
    return changes


def check_tokens(loaded: Loaded, shards: str) -> None:
    """Refuse to go on from a checkpoint with other tokens than it was trained on.

    Args:
        loaded: the checkpoint.
        shards: digest of the token shards now.
    Raises:
        DataError: if they are others.
    """
    if loaded.state["data"]["shards"] != shards:
        raise DataError(
            f"the tokens are not those that checkpoint `{loaded.path}` was trained on",
            hint="bring the old data back, or start a fresh run without it",
        )


def remember_machine(run: Run, machine: Machine) -> None:
    """Keep what a fresh run computes on, for a resume before its first checkpoint."""
    write_atomic(_machine_file(run), canonical_json({"schema_version": 1, **machine.as_state()}) + b"\n")


def recorded_machine(run: Run, kept: Loaded | None, changes: Sequence[Change]) -> Machine | None:
    """What the run has computed on, or None if that is not known yet, or was given anew.

    The file of the run knows best: a checkpoint may be older than a change.
    """
    if any(change.key in _MACHINE for change in changes):
        return None
    path = _machine_file(run)
    if path.is_file():
        return Machine.read(path)
    return None if kept is None else Machine.from_state(kept.state["machine"])


def _machine_file(run: Run) -> Path:
    return run.folder / "machine.json"
