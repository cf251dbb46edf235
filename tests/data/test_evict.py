"""What the cache gives up: the longest unused, by age and by size, and never what is in use."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codex.config.schema import Config
from codex.data.evict import overdue_notes
from codex.data.prepare import prepare, prepare_until
from codex.data.store import STAGES, Place, evict_stages
from codex.data.verify import verify
from codex.file import Lock

Configure = Callable[..., Config]


def folders(cache: Path) -> list[Path]:
    return sorted(path.parent for path in cache.glob("prepared/*/*/manifest.json"))


def age(folder: Path, days: float) -> None:
    time = (folder / "manifest.json").stat().st_mtime - days * 86_400
    os.utime(folder / "manifest.json", (time, time))


def test_notes_are_overdue_by_age_and_behind_what_fits(tmp_path: Path) -> None:
    sizes = {"a": 10, "b": 20, "c": 30, "gone": 1}
    for days, name in enumerate("abc"):
        (tmp_path / name).touch()
        time = (tmp_path / name).stat().st_mtime - days * 86_400 - 60
        os.utime(tmp_path / name, (time, time))

    def overdue(maximum_bytes: int, maximum_days: float) -> str:
        notes = overdue_notes(
            [tmp_path / name for name in sizes],
            lambda note: sizes[note.name],
            maximum_bytes=maximum_bytes,
            maximum_days=maximum_days,
        )
        return "".join(note.name for note in notes)

    assert overdue(60, 3) == ""
    assert overdue(59, 3) == "c"
    assert overdue(10, 3) == "bc"
    assert overdue(60, 1) == "bc"
    assert overdue(0, 3) == "abc"


def test_stages_go_when_they_were_not_used_for_long_and_are_built_again(
    config: Config, corpus: Path, configure: Configure, listener: Any, tmp_path: Path
) -> None:
    cache = tmp_path / "c"
    prepare(config, cache=cache)
    old = folders(cache)
    for folder in old:
        age(folder, 91)
    prepare(configure(corpus, vocabulary_size=301), cache=cache, progress=listener)
    # Records and splits were used again, so tokenizer and shards of the first alone are old.
    gone = [folder for folder in old if not folder.exists()]
    assert sorted(folder.parent.name for folder in gone) == ["shards", "tokenizer"]
    told = [re.sub(": .*: ", ": ", line) for line in listener.said if "removed from the cache" in line]
    assert sorted(told) == sorted(f"{folder.parent.name}: {folder}" for folder in gone)
    assert verify(cache).problems == []
    assert prepare(config, cache=cache).built == {name: name in ("tokenizer", "shards") for name in STAGES}


def test_the_longest_unused_go_beyond_a_size_and_what_is_in_use_or_locked_stays(
    config: Config, listener: Any, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    kept, locked, *others = folders(tmp_path / "c")
    with Lock(locked.with_name(f"{locked.name}.lock")):
        evict_stages(tmp_path / "c", {kept}, listener, maximum_bytes=0)
    assert folders(tmp_path / "c") == [kept, locked]
    assert len(listener.said) == len(others) == 2
    evict_stages(tmp_path / "c", set(), listener, maximum_bytes=1 << 30, maximum_days=1)
    assert folders(tmp_path / "c") == [kept, locked]


def test_what_a_user_named_is_never_evicted(config: Config, tmp_path: Path) -> None:
    place = Place(tmp_path / "c", tmp_path / "out")
    prepare_until("splits", config, place=place)
    for stage in ("records", "splits"):
        age(tmp_path / "out" / stage, 1000)
    prepare_until("splits", config, place=place)
    assert (tmp_path / "out" / "records" / "manifest.json").exists()
