"""The sides that read NDJSON: ours and the peers' fastest way to the same answer, each run in a worker of its own.

Every function reads a file to its end and answers CPU seconds, seconds on the clock, the most memory, and a figure that must be
the same for all. Files are made from a seed: documents of about 4 kB in prose of several scripts and code, and rows of metrics.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from benches.workers import Stopwatch, peak_memory_mb

__all__ = ["pack", "read", "read_at_random", "write_documents", "write_rows"]

WORDS = {
    "latin": "the of and to in is that for it as was with be by on not he at are this have from or had an they which one",
    "cyrillic": "и в не на я быть он с что а по это она этот к но они мы весь который из у то за свой год от так о для",
    "han": "的 一 是 不 了 在 人 有 我 他 这 个 们 中 来 上 大 为 和 国 地 到 以 说 时 要 就 出 会 可 也 你 对 生 能 而",
    "code": 'def return {"key": "\\t"} for in range(10): print("\\n") x + 1 self.value = None\n',
}


def write_documents(path: Path, megabytes: int, seed: int) -> None:
    """Documents of about 4 kB: half of them English, the rest other scripts and code."""
    source, left = random.Random(seed), megabytes * 1_000_000
    with path.open("w", encoding="utf-8") as file:
        while left > 0:
            kind = source.choice(["latin", "latin", "latin", "cyrillic", "han", "code"])
            glue, size = (
                ("" if kind == "han" else " "),
                {"latin": 4, "cyrillic": 7, "han": 3, "code": 6}[kind],
            )
            words = WORDS[kind].split(" ")
            lines = [glue.join(source.choices(words, k=12)) for _ in range(4000 // (12 * size))]
            row = {
                "id": f"{source.getrandbits(64):016x}",
                "text": ".\n".join(lines),
                "meta": {"score": source.random(), "n": source.randrange(10**6)},
            }
            left -= file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_rows(path: Path, count: int, seed: int) -> None:
    """Rows of a metrics log: seven fields, about 170 bytes."""
    source = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for step in range(count):
            row = {
                "time": 1_700_000_000 + 0.37 * step,
                "step": step,
                "split": "train",
                "loss": source.random() * 4,
                "learning_rate": source.random() / 1000,
                "grad_norm": source.random(),
                "tokens_per_second": source.random() * 1e5,
            }
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def pack(path: str, folder: str) -> dict[str, str]:
    """The file at `path`, compressed as gz and as zst into `folder`."""
    data, home = Path(path).read_bytes(), Path(folder)
    zstandard = importlib.import_module("zstandard")
    packed = {"gz": gzip.compress(data, 6), "zst": zstandard.ZstdCompressor(3).compress(data)}
    for name, content in packed.items():
        (home / name).write_bytes(content)
    return {name: str(home / name) for name in packed}


def _texts_codex(path: str) -> int:
    from codex.records import iter_texts

    return sum(map(len, iter_texts(path)))


def _texts_orjson(path: str) -> int:
    import orjson

    loads = orjson.loads
    with Path(path).open("rb") as file:
        return sum(len(loads(line)["text"]) for line in file)


def _texts_pysimdjson(path: str) -> int:
    parse = importlib.import_module("simdjson").Parser().parse
    with Path(path).open("rb") as file:
        return sum(len(parse(line)["text"]) for line in file)


def _texts_fastsimdjson(path: str) -> int:
    loads = importlib.import_module("fastsimdjson").loads
    with Path(path).open("rb") as file:
        return sum(len(loads(line)["text"]) for line in file)


def _batches_codex(path: str) -> int:
    from codex.records import iter_batches

    return sum(map(len, iter_batches(path, {"text": str}, threads=2)))


def _batches_orjson(path: str) -> int:
    import orjson

    loads = orjson.loads
    with Path(path).open("rb") as file:
        return sum(isinstance(loads(line)["text"], str) for line in file)


def _batches_polars(path: str) -> int:
    polars = importlib.import_module("polars")
    scan = polars.scan_ndjson(path, schema={"text": polars.String})
    summed = scan.select(
        polars.col("text").str.len_bytes().sum().alias("bytes"), polars.len().alias("rows")
    ).collect(engine="streaming")
    return int(summed["rows"][0])


def _rows_codex(path: str) -> int:
    from codex.records import iter_batches

    return sum(map(len, iter_batches(path, {"step": int, "loss": float}, threads=1)))


def _rows_msgspec(path: str) -> int:
    msgspec = importlib.import_module("msgspec")
    row = msgspec.defstruct("Row", [("step", int), ("loss", float)])
    decode = msgspec.json.Decoder(row).decode
    with Path(path).open("rb") as file:
        return sum(decode(line).step >= 0 for line in file)


def _count_codex(path: str) -> int:
    from codex.records import count

    return count(path)


def _count_isal(path: str) -> int:
    with importlib.import_module("isal.igzip").open(path, "rb") as file:
        return _newlines(file.read)


def _count_zstandard(path: str) -> int:
    decompressor = importlib.import_module("zstandard").ZstdDecompressor()
    with Path(path).open("rb") as file:
        return _newlines(decompressor.stream_reader(file).read)


def _newlines(read: Callable[[int], bytes]) -> int:
    """In pieces of a mebibyte, as fast as Python counts them."""
    return sum(piece.count(b"\n") for piece in iter(lambda: read(1 << 20), b""))


def _index_codex(path: str) -> int:
    from codex.records import index

    return len(index(path))


SIDES: dict[str, Callable[[str], int]] = {
    name.removeprefix("_"): side
    for name, side in globals().items()
    if name.endswith(("_codex", "_orjson", "json", "_polars", "_msgspec", "_isal", "_zstandard"))
    and callable(side)
}


def read(side: str, path: str) -> dict[str, Any]:
    """Run a side: what it took, and its answer."""
    if side == "wc":
        before = getrusage(RUSAGE_CHILDREN)
        lines = subprocess.run(["wc", "-l", path], capture_output=True, check=True, text=True).stdout
        after = getrusage(RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"cpu_s": cpu_s, "answer": int(lines.split()[0])}
    _warm_up(side)
    with Stopwatch() as watch:
        answer = SIDES[side](path)
    return {"cpu_s": watch.cpu_s, "wall_s": watch.wall_s, "answer": answer, "peak_mb": peak_memory_mb()}


def read_at_random(path: str, count: int, seed: int) -> dict[str, Any]:
    """CPU seconds of as many lines by their number, and of bare reads of the same bytes, whose places are known."""
    from codex.records import index

    source, lines, starts = random.Random(seed), index(path), [0]
    with Path(path).open("rb") as file:
        starts += accumulate(map(len, file))
        numbers = source.choices(range(len(lines)), k=count)
        places = [(starts[number + 1] - starts[number], starts[number]) for number in numbers]
        line, pread, descriptor = lines.line, os.pread, file.fileno()
        assert all(
            line(number) == pread(descriptor, *place) for number, place in zip(numbers, places, strict=True)
        )
        ours, bare = Stopwatch(), Stopwatch()
        # Who goes first finds less of the file in the processor's memory.
        for is_ours in (True, False) if seed % 2 else (False, True):
            if is_ours:
                with ours:
                    for number in numbers:
                        line(number)
            else:
                with bare:
                    for size, start in places:
                        pread(descriptor, size, start)
    return {"cpu_s": ours.cpu_s, "bare_s": bare.cpu_s}


def _warm_up(side: str) -> None:
    """Import what the side needs, outside of the time."""
    for name in _needed(side):
        importlib.import_module(name)


def _needed(side: str) -> Iterator[str]:
    kind = side.rsplit("_", 1)[-1]
    yield {"codex": "codex.records", "pysimdjson": "simdjson", "isal": "isal.igzip"}.get(kind, kind)
