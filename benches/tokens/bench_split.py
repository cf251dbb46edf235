"""The cutting of words alone: the patterns that are cut by hand, against the same patterns run as the expressions they are."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benches.harness import gate
from benches.tokens.texts import documents
from benches.tokens.vocabularies import tokenizer_path
from codex import _core

TEXT_BYTES = 2 << 20


@pytest.fixture(scope="module", autouse=True)
def _one_core() -> Iterator[None]:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


def _as_expressions(path: Path) -> _core.Tokenizer:
    """The same tokenizer with groups around its patterns, so that none is recognized."""
    document = json.loads(path.read_bytes())
    steps = document["pre_tokenizer"]
    for step in steps["pretokenizers"]:
        if step["type"] == "Split":
            step["pattern"]["Regex"] = f"(?:{step['pattern']['Regex']})"
    return _core.Tokenizer.from_json(json.dumps(document).encode())


@pytest.mark.parametrize("vocabulary", ["cl100k", "o200k", "deepseek"])
@pytest.mark.parametrize("kind", ["mixed", "code"])
def bench_words(benchmark: Any, vocabulary: str, kind: str) -> None:
    text = "".join(documents(kind, TEXT_BYTES))
    path = tokenizer_path(vocabulary)
    by_hand, as_expressions = _core.Tokenizer.from_file(path), _as_expressions(path)
    gate(
        benchmark,
        f"tokens.split_{kind}",
        lambda: by_hand.word_ends(text),
        lambda: as_expressions.word_ends(text),
        rounds=5,
        equal=np.array_equal,
        vocabulary=vocabulary,
        text_bytes=len(text.encode()),
    )
