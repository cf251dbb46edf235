"""Lines to train, validation and test, for scripts: by what a line says and a seed, never by where it stands.

`codex data split` divides records, with their near duplicates together; this divides any texts, equal ones together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from codex.data.split import SPLITS, side_by_id
from codex.errors import DamageError, DataError, MissingDataError, UsageError
from codex.file import PartialFolder, list_files, read_manifest, verify_folder, write_manifest
from codex.records import iter_texts, record_id

__all__ = ["LineSplit", "split_dataset"]

_KIND, _SCHEMA_VERSION = "line_split", 1
_NAMES = {*(f"{side}.ndjson" for side in SPLITS), "manifest.json"}


class LineSplit(NamedTuple):
    """The lines of each side, in the order in which they came."""

    train: list[str]
    validation: list[str]
    test: list[str]


def split_dataset(
    lines: Iterable[str],
    seed: int = 0,
    cache_path: str | PathLike[str] | None = None,
    *,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.0,
    say: Callable[[str], object] | None = None,
) -> LineSplit:
    r"""Divide texts into train, validation and test.

    The side of a line depends on the line, the seed and the fractions alone: equal lines go to one side, and lines that are added
    or moved move no other. Lines are held in memory.

    Args:
        lines: the texts.
        seed: another seed, another split.
        cache_path: a folder to keep the split in, made if it is not there: `train.ndjson` and its like, a text a line, and a
            manifest with their digests. One that was made of other lines, or is damaged, is made again, and that is said.
        validation_fraction, test_fraction: of the lines, about.
        say: told of it in one line; default standard error.

    Raises:
        UsageError: if the fractions leave nothing to train on, or what stands at `cache_path` is something else.
        DataError: if a line holds a lone surrogate.

    >>> split = split_dataset([f"line {number}" for number in range(10)], seed=1, validation_fraction=0.3)
    >>> [len(side) for side in split]
    [5, 5, 0]
    >>> again = split_dataset([f"line {number}" for number in range(1000)], seed=1, validation_fraction=0.3)
    >>> set(split.validation) <= set(again.validation)
    True
    """
    fractions = {"validation_fraction": validation_fraction, "test_fraction": test_fraction}
    if min(fractions.values()) < 0 or sum(fractions.values()) >= 1:
        raise UsageError(f"the fractions {fractions} leave nothing to train on, expected a sum below 1")
    lines = list(lines)
    ids = [record_id(line) for line in lines]
    if cache_path is None:
        return _divided(lines, ids, seed, fractions)
    home = Path(cache_path)
    parameters: dict[str, Any] = {"seed": seed, **fractions, "lines": len(lines), "digest": _digest(ids)}
    if (kept := _kept(home, parameters, say or _to_stderr)) is not None:
        return kept
    split = _divided(lines, ids, seed, fractions)
    _keep(home, parameters, split)
    return split


def _divided(lines: list[str], ids: list[str], seed: int, fractions: dict[str, float]) -> LineSplit:
    split = LineSplit([], [], [])
    for line, identity in zip(lines, ids, strict=True):
        side = side_by_id(record_id(f"{seed} {identity}"), fractions)
        split[SPLITS.index(side)].append(line)
    return split


def _digest(ids: list[str]) -> str:
    return f"sha256:{sha256(''.join(ids).encode()).hexdigest()}"


def _kept(home: Path, parameters: dict[str, Any], say: Callable[[str], object]) -> LineSplit | None:
    """The split that is kept at `home`, if it is the one of these parameters, and whole."""
    if home.exists() and (not home.is_dir() or {path.name for path in home.iterdir()} - _NAMES):
        raise UsageError(
            f"`{home}` is in the way: it is no split of lines", hint="choose another `cache_path`"
        )
    try:
        manifest = read_manifest(home, kind=_KIND, schema_version=_SCHEMA_VERSION)
    except MissingDataError:
        return None
    except DamageError as error:
        say(f"`{home}` is made again: {error}")
        return None
    if manifest["parameters"] != parameters:
        names = [key for key, value in parameters.items() if manifest["parameters"].get(key) != value]
        say(f"`{home}` is made again: it was made with another {', '.join(names)}")
        return None
    try:
        verify_folder(home)
        return LineSplit(*(list(iter_texts(home / f"{side}.ndjson")) for side in SPLITS))
    except (DamageError, DataError) as error:
        say(f"`{home}` is made again: {error}")
        return None


def _keep(home: Path, parameters: dict[str, Any], split: LineSplit) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    with PartialFolder(home, replace=True) as partial:
        for side, lines in zip(SPLITS, split, strict=True):
            rows = (json.dumps({"text": line}, ensure_ascii=False) for line in lines)
            partial.write(f"{side}.ndjson", "".join(f"{row}\n" for row in rows).encode())
        manifest = {
            "kind": _KIND,
            "schema_version": _SCHEMA_VERSION,
            "parameters": parameters,
            "files": list_files(partial.path),
            "counts": {side: len(lines) for side, lines in zip(SPLITS, split, strict=True)},
        }
        write_manifest(partial.path, manifest)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
