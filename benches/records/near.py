"""The sides that look for near duplicates: ours, and rensa with shingles made in Python or given to both.

Documents are made from a seed, 650 words each; every tenth is an earlier one with one word changed. Each side answers how many
documents it found to be near duplicates of others.
"""

from __future__ import annotations

import importlib
import random
from functools import cache
from typing import Any

from benches.workers import Stopwatch
from codex.records import NearDuplicates

__all__ = ["find"]

THRESHOLD, PERMUTATIONS, BANDS, WORDS = 0.8, 128, 16, 5


@cache
def _documents(count: int, seed: int) -> list[str]:
    source = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(source.choices(letters, k=source.randrange(2, 10))) for _ in range(20_000)]
    documents = [source.choices(words, k=650) for _ in range(count)]
    for place in range(9, count, 10):
        twin = list(documents[place - source.randrange(1, 9)])
        twin[source.randrange(len(twin))] = "changed"
        documents[place] = twin
    return [" ".join(document) for document in documents]


@cache
def _given(count: int, seed: int) -> list[list[str]]:
    return _shingles(_documents(count, seed))


def _shingles(documents: list[str]) -> list[list[str]]:
    cut = [document.lower().split() for document in documents]
    return [
        [" ".join(words[place : place + WORDS]) for place in range(len(words) - WORDS + 1)] for words in cut
    ]


def _rensa(shingles: list[list[str]]) -> int:
    rensa = importlib.import_module("rensa")
    matrix = rensa.RMinHash.digest_matrix_from_token_sets(shingles, PERMUTATIONS, 42)
    found = rensa.RMinHashLSH(THRESHOLD, PERMUTATIONS, BANDS).insert_matrix_and_query_duplicate_flags(matrix)
    return sum(map(bool, found))


def _ours(near: NearDuplicates) -> int:
    return sum(map(len, near.groups()))


def find(side: str, count: int, seed: int) -> dict[str, Any]:
    """Run a side on one thread: from raw text, or from shingles that lie ready."""
    documents, given = _documents(count, seed), _given(count, seed)
    importlib.import_module("rensa")
    with Stopwatch() as watch:
        if side == "codex_raw":
            near = NearDuplicates(THRESHOLD, shingle_words=WORDS)
            near.add_many(documents, threads=1)
            found = _ours(near)
        elif side == "codex_shingles":
            near = NearDuplicates(THRESHOLD)
            for shingles in given:
                near.add_shingles(shingles)
            found = _ours(near)
        else:
            found = _rensa(_shingles(documents) if side == "rensa_raw" else given)
    return {"cpu_s": watch.cpu_s, "found": found, "bytes": sum(map(len, documents))}
