"""One detector in a process of its own: ours, or a peer's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib import import_module

from benches.text.passages import COMMON, RARE, passages, text_in
from benches.workers import Stopwatch

__all__ = ["large", "load", "score", "small"]

#: A label and the wider table that holds all of it count as one.
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950"}
_detect: Callable[[bytes], str | None]


def load(name: str) -> None:
    """Make `name` the detector of this process."""
    global _detect
    if name == "codex":
        from codex.text import detect

        _detect = lambda data: detect(data).encoding  # noqa: E731
    elif name == "chardet":
        peer = import_module("chardet")
        # by default it looks at the first 200 kB only
        _detect = lambda data: peer.detect(data, max_bytes=len(data) + 1)["encoding"]  # noqa: E731
    else:
        peer = import_module("charset_normalizer")
        _detect = lambda data: getattr(peer.from_bytes(data).best(), "encoding", None)  # noqa: E731


def _is_same(data: bytes, text: str, answer: str | None) -> bool:
    """Whether a strict decode with the answer gives the text back."""
    if not answer:
        return False
    spelled = answer.lower().replace("-", "_")
    for encoding in (answer, _WIDER.get(spelled, answer)):
        try:
            if data.decode(encoding).removeprefix("\ufeff") == text:
                return True
        except (UnicodeError, LookupError):
            pass
    return False


def score(kind: str, size: int, each: int, seed: int) -> dict[str, int]:
    """How many passages there are, and of how many the answer gives the text back."""
    right = count = 0
    for passage in passages({"common": COMMON, "rare": RARE}[kind], size, each, seed):
        count += 1
        right += _is_same(passage.data, passage.text, _detect(passage.data))
    return {"right": right, "all": count}


def small(seed: int, files: int) -> dict[str, float]:
    """CPU seconds for files of 100 bytes to 20 kB in many encodings, and the slowest of them."""
    import random

    dice = random.Random(seed)
    made = [
        next(passages({encoding: languages}, round(100 * 200 ** dice.random()), 1, seed + number)).data
        for number in range(files // len(COMMON))
        for encoding, languages in COMMON.items()
    ]
    slowest = 0.0
    total = 0.0
    for data in made:
        with Stopwatch() as watch:
            _detect(data)
        total += watch.cpu_s
        slowest = max(slowest, watch.cpu_s)
    return {"cpu_s": total, "slowest_s": slowest}


@cache
def _large(encoding: str, language: str, megabytes: int) -> tuple[bytes, str]:
    import random

    text = text_in(encoding, language, 200_000, random.Random(7))
    data = (text + "\n").encode(encoding)
    times = megabytes * 1_000_000 // len(data) + 1
    return data * times, (text + "\n") * times


def large(encoding: str, language: str, megabytes: int) -> dict[str, float | str]:
    """CPU seconds for one large file, and the digest of the text its answer gives."""
    data, text = _large(encoding, language, megabytes)
    with Stopwatch() as watch:
        answer = _detect(data)
    assert _is_same(data, text, answer), f"{answer} is not {encoding}"
    return {"cpu_s": watch.cpu_s, "text": hashlib.sha256(text.encode()).hexdigest()}
