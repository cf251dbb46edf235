"""Us and the scripts of others, each in a worker process of its own that may run on both cores; see `benches/workers.py`.

What is imported and loaded is not part of the time; CPU seconds are those of the process and of what it started.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benches.workers import PEERS

__all__ = ["RULES", "ingest", "loop", "script", "shards"]

#: What ends documents in the vocabulary of GPT-2.
_END = 50256
RULES = ("word_length", "symbols", "letters", "bullets", "ellipses", "repeated_lines")


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def _measured(took: dict[str, Any]) -> Iterator[Path]:
    """A folder to write to, removed in the end; `took` is told the seconds."""
    with tempfile.TemporaryDirectory() as home:
        cpu_s, wall_s = _cpu_s(), time.perf_counter()
        yield Path(home)
        took |= {"cpu_s": _cpu_s() - cpu_s, "wall_s": time.perf_counter() - wall_s}
        took["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _configured(source: str, **options: Any) -> Any:
    from codex.config.schema import Config, Data, Tokens

    tokenizer = options.pop("tokenizer", None)
    data = Data(corpus=None, paths=(source,), near_duplicate_threshold=None, **options)
    return Config(data=data, tokens=Tokens(tokenizer=tokenizer))


def ingest(source: str, with_rules: bool) -> dict[str, Any]:
    """`codex data ingest` into a new folder."""
    from codex.data.prepare import prepare_until
    from codex.data.store import Place

    config = _configured(source, quality=RULES if with_rules else ())
    took: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out:
        with _measured(took) as home:
            stage = prepare_until("records", config, place=Place(home, Path(out)))["records"]
        took |= _ids(stage.folder / "records.ndjson")
    return took


def loop(source: str, with_rules: bool) -> dict[str, Any]:
    """The loop of `benches/data/loop.py`."""
    sys.path[:0] = [] if str(PEERS) in sys.path else [str(PEERS)]
    from benches.data import loop as theirs

    took: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out:
        target = Path(out) / "records.ndjson"
        with _measured(took):
            theirs.ingest(Path(source), target, with_rules=with_rules)
        took |= _ids(target)
    return took


def _ids(path: Path) -> dict[str, Any]:
    """What was kept: the ids of all records, which are digests of their texts."""
    with path.open("rb") as lines:
        ids = sorted(line[7:39] for line in lines)
    return {"records": len(ids), "ids": hashlib.sha256(b"".join(ids)).hexdigest()}


def shards(source: str, tokenizer: str) -> dict[str, Any]:
    """`codex data tokenize` into a new folder, with a tokenizer of ours."""
    from codex.data.load import SplitTokens
    from codex.data.prepare import prepare_until
    from codex.data.store import Place

    config = _configured(source, tokenizer=tokenizer)
    took: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out:
        with _measured(took) as home:
            stage = prepare_until("shards", config, place=Place(home, Path(out)))["shards"]
        sides = [SplitTokens(stage.folder, side) for side in ("train", "validation")]
        rows = [np.asarray(side[number], np.uint16) for side in sides for number in range(len(side))]
        return took | _digest(rows)


def script(source: str, tokenizer: str, encoder: str) -> dict[str, Any]:
    """The script of `benches/data/script.py`."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.path += [] if str(PEERS) in sys.path else [str(PEERS)]  # behind: `tokenizers` there is another
    import datasets

    from benches.data import script as theirs

    datasets.disable_progress_bars()
    took: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as out:
        target = Path(out) / "ids"
        with _measured(took) as home:
            theirs.tokenize(Path(source), Path(tokenizer), target, encoder=encoder, cache=home)
        ids = np.fromfile(target, np.uint16)
    rows = np.split(ids, np.flatnonzero(ids == _END)[:-1] + 1)
    return took | _digest(rows)


def _digest(rows: list[Any]) -> dict[str, Any]:
    """What was written, whatever the order of the documents."""
    each = sorted(hashlib.sha256(row.tobytes()).digest() for row in rows)
    return {"documents": len(each), "ids": hashlib.sha256(b"".join(each)).hexdigest()}
