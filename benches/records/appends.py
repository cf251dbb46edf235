"""The sides that append rows of metrics to a file, one call a row; each answers with its figure and how many bytes it wrote."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import Any

from benches.workers import Stopwatch
from codex.records import Writer

__all__ = ["append", "append_durably"]

#: As a trainer writes them: 149 bytes.
ROW = {
    "time": 1700000000.37,
    "step": 123,
    "split": "train",
    "loss": 2.123456,
    "learning_rate": 0.000123456,
    "grad_norm": 0.5534534,
    "tokens_per_second": 53453.123123,
}


def append(side: str, path: str, count: int) -> dict[str, Any]:
    """CPU seconds of `count` rows, each of which survives a kill once it is appended."""
    place = Path(path)
    place.unlink(missing_ok=True)
    if side == "codex":
        with Writer(place, "flush") as writer:
            add, row = writer.append, ROW
            with Stopwatch() as watch:
                for _ in range(count):
                    add(row)
    else:
        orjson = importlib.import_module("orjson")
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        write, dumps, option, row = os.write, orjson.dumps, orjson.OPT_APPEND_NEWLINE, ROW
        with Stopwatch() as watch:
            for _ in range(count):
                write(file, dumps(row, option=option))
        os.close(file)
    return {"cpu_s": watch.cpu_s, "bytes": place.stat().st_size}


def append_durably(path: str, count: int) -> dict[str, Any]:
    """The 99th percentile of `count` durable appends, and of as many writes and fdatasyncs of the same bytes, in turn."""
    ours, theirs = Path(path + ".ours"), Path(path + ".theirs")
    for place in (ours, theirs):
        place.unlink(missing_ok=True)
    file = os.open(theirs, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    with Writer(ours, "durable") as writer:
        writer.append(ROW)
        line = ours.read_bytes()
        for number in range(count):
            for side in ("ours", "theirs") if number % 2 else ("theirs", "ours"):
                started = time.perf_counter()
                if side == "ours":
                    writer.append(ROW)
                else:
                    os.write(file, line)
                    os.fdatasync(file)
                seconds[side].append(time.perf_counter() - started)
    os.close(file)
    return {side: sorted(taken)[int(0.99 * count)] for side, taken in seconds.items()} | {
        "bytes": [ours.stat().st_size - len(line), theirs.stat().st_size]
    }
