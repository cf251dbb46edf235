"""The models are made of their text and of nothing else: same text, same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "rust" / "codex-text" / "models"
#: Where `make torture` has put the packages.
FETCHED = os.environ.get("CODEX_TORTURE_MODELS")

TEXTS = {
    "de": ["Schöne Grüße aus Köln, sagte der Bär.", "Die Größe beträgt 12 Meter."],
    "ru": ["Вчера вечером мы ходили в кино.", "Съешь же ещё этих мягких булок."],
    "ja": ["昨日の夕方、映画館に行きました。"],
    "ko": ["어제 저녁에 우리는 영화관에 갔습니다."],
    "zh-cn": ["昨天晚上我们去了电影院。"],
    "zh-tw": ["昨天晚上我們去了電影院。"],
}


def _collect(into: Path, more: str = "", *, held_out: bool = False) -> Path:
    into.mkdir()
    for code, lines in TEXTS.items():
        rows = [{"id": "a", "held_out": False, "lines": lines}]
        if more:
            rows.append({"id": "b", "held_out": held_out, "lines": [more]})
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (into / f"{code}.ndjson").write_text(text, "utf-8")
        words = {word: 0 for line in lines for word in line.split()}
        (into / f"{code}.words").write_text("".join(f"1.0e-03 {word}\n" for word in words), "utf-8")
    return into


def _train(collected: Path, out: Path, seed: str = "0") -> bytes:
    """The models, made by a process whose sets and dictionaries are in an order of their own."""
    subprocess.run(
        [sys.executable, MODELS / "train.py", collected, out],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )
    return out.read_bytes()


def test_the_same_text_gives_the_same_models(tmp_path: Path) -> None:
    collected = _collect(tmp_path / "text")
    first = _train(collected, tmp_path / "first", seed="1")
    assert _train(collected, tmp_path / "second", seed="2") == first
    assert first[:2] == (2).to_bytes(2, "little")  # two languages with a table of pairs


def test_what_is_held_out_is_not_learnt(tmp_path: Path) -> None:
    more = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."
    learnt = _train(_collect(tmp_path / "text"), tmp_path / "first")
    assert _train(_collect(tmp_path / "held", more, held_out=True), tmp_path / "second") == learnt
    assert _train(_collect(tmp_path / "more", more), tmp_path / "third") != learnt


@pytest.mark.skipif(not FETCHED, reason="`make torture` fetches the packages and sets CODEX_TORTURE_MODELS")
def test_the_packages_give_the_models_that_are_embedded(tmp_path: Path) -> None:
    fetched = Path(str(FETCHED))
    wheel = next(fetched.glob("wordfreq-*.whl"))
    collect = [sys.executable, MODELS / "collect.py", fetched / "unpacked", wheel, tmp_path / "collected"]
    subprocess.run(collect, check=True, capture_output=True)
    assert _train(tmp_path / "collected", tmp_path / "models.bin") == (MODELS / "models.bin").read_bytes()
