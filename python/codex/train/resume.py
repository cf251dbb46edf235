"""Which checkpoint a run goes on from, and whether it may."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from codex import checkpoint
from codex.checkpoint import Loaded
from codex.config import Config
from codex.errors import ConfigError, DamageError, DataError, MissingDataError
from codex.file import canonical_json, sweep_partial, write_atomic
from codex.track.run import FREE_TO_CHANGE, Run
from codex.train.machine import Machine

__all__ = [
    "check_config",
    "check_tokens",
    "newest_of",
    "open_checkpoint",
    "recorded_machine",
    "remember_machine",
]


def newest_of(run: Run, say: Callable[[str], None], warn: Callable[[str], None]) -> Loaded | None:
    """The newest checkpoint of a run that verifies, or None if it has none; says which, and which were passed over.

    Raises:
        DamageError: if there are checkpoints and not one verifies.
    """
    for folder in (run.folder, run.evaluation):
        sweep_partial(folder)  # what a killed process left half written; checkpoints are swept by each save
    found = checkpoint.find_latest(run.checkpoints)
    if found is None:
        say(f"`{run.folder}` has no checkpoint yet: starting it from step 0")
        return None
    for path, reason in found.skipped:
        warn(f"skipped `{path}`: {reason}")
    say(f"resuming from `{found.path}`")
    return checkpoint.load(found.path)


def open_checkpoint(path: Path) -> Loaded:
    """The checkpoint at `path`, or the newest that verifies of the run at `path`.

    Raises:
        MissingDataError: if there is none.
        DamageError: naming the file and part that are not what was saved.
    """
    if (path / "manifest.json").is_file():
        return checkpoint.load(path)
    inside = path / "checkpoints"
    found = checkpoint.find_latest(inside) if inside.is_dir() else None
    if found is None:
        raise MissingDataError(
            f"no checkpoint at `{path}`", hint="name a folder such as `runs/base/checkpoints/step-00000100`"
        )
    return checkpoint.load(found.path)


def check_config(loaded: Loaded, config: Config) -> None:
    """Refuse to go on from a checkpoint with keys that would give other weights.

    Raises:
        ConfigError: naming every key that differs and may not.
    """
    before = dict(_flat(_part(loaded, "config")))
    changed = [
        f"`{key}` was {before.get(key)!r}, is now {value!r}"
        for key, value in _flat(config.model_dump(mode="json"))
        if before.get(key) != value and not key.startswith(FREE_TO_CHANGE)
    ]
    if changed:
        raise ConfigError(
            f"checkpoint `{loaded.path}` was made with another configuration: {'; '.join(changed)}",
            hint="give the keys it was made with, or start a fresh run without it",
        )


def check_tokens(loaded: Loaded, shards: str) -> None:
    """Refuse to go on from a checkpoint with other tokens than it was trained on.

    Args:
        loaded: the checkpoint.
        shards: digest of the token shards now.
    Raises:
        DataError: if they are others.
    """
    if _part(loaded, "shards") != shards:
        raise DataError(
            f"the tokens are not those that checkpoint `{loaded.path}` was trained on",
            hint="bring the old data back, or start a fresh run without it",
        )


def remember_machine(run: Run, machine: Machine) -> None:
    """Keep what a fresh run computes on, for a resume before its first checkpoint."""
    write_atomic(_machine_file(run), canonical_json({"schema_version": 1, **machine.as_state()}) + b"\n")


def recorded_machine(run: Run, loaded: Loaded | None) -> Machine | None:
    """What the run was started on, or None if it is not known yet."""
    if loaded is not None:
        return Machine.from_state(_part(loaded, "machine"))
    path = _machine_file(run)
    return Machine.read(path) if path.is_file() else None


def _machine_file(run: Run) -> Path:
    return run.folder / "machine.json"


def _part(loaded: Loaded, name: str) -> Any:
    try:
        return loaded.state[name]
    except KeyError:
        raise DamageError(
            f"the state in `{loaded.path}` lacks `{name}`, expected a checkpoint of a run"
        ) from None


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
