"""One detector in a process of its own: ours, or a peer's."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from benches.text.damaged import documents
from benches.text.passages import COMMON, RARE, passages, text_in
from benches.workers import Stopwatch

__all__ = ["is_installed", "large", "load", "score", "small", "survive"]

#: A label and the wider table that holds all of it count as one.
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950"}
Detect = Callable[[bytes], str | None]
_detect: Detect

#: The modules of those that are not always installed.
_OTHERS = {
    "bytesense": "bytesense",
    "cchardet": "cchardet",
    "resiliparse": "resiliparse",
    "chardetng": "chardetng_py",
}


def load(name: str) -> None:
    """Make `name` the detector of this process."""
    global _detect
    _detect = _detector(name)


def _detector(name: str) -> Detect:
    match name:
        case "codex":
            from codex.text import detect

            return lambda data: detect(data).encoding
        case "chardet":
            # by default it looks at the first 200 kB only
            chardet = import_module("chardet").detect
            return lambda data: chardet(data, max_bytes=len(data) + 1)["encoding"]
        case "normalizer":
            normalizer = import_module("charset_normalizer").from_bytes
            return lambda data: getattr(normalizer(data).best(), "encoding", None)
        case "bytesense":
            bytesense = import_module("bytesense").from_bytes
            return lambda data: getattr(bytesense(data), "encoding", None)
        case "cchardet":
            cchardet = import_module("cchardet").detect
            return lambda data: cchardet(data)["encoding"]
        case "chardetng":
            chardetng = import_module("chardetng_py").detect
            return lambda data: chardetng(data, allow_utf8=True)
        case _:
            found: Detect = import_module("resiliparse.parse.encoding").detect_encoding
            return found


def is_installed(name: str) -> bool:
    """Whether `load` finds that detector."""
    return name not in _OTHERS or find_spec(_OTHERS[name]) is not None


def survive(damage: str, count: int, seed: int) -> dict[str, int]:
    """Of how many damaged documents 95 % of the lines that no damage touched are read as they were written."""
    right = 0
    for document in documents(damage, count, seed):
        try:
            answer = _detect(document.data)
            text = document.data.decode(answer, "replace") if answer else ""
        except Exception:  # a peer that refuses, fails or names what Python does not know has saved nothing
            answer, text = None, ""
        if document.lines:
            read = Counter(text.splitlines(keepends=True))
            kept = sum(min(count, read[line]) for line, count in Counter(document.lines).items())
            right += kept >= 0.95 * len(document.lines)
        else:
            right += not answer
    return {"right": right, "all": count}


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
