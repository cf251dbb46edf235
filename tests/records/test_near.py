"""Near duplicates: planted pairs are found, look-alike files of the standard library come together, threads do not matter."""

from __future__ import annotations

import random
import re
import sysconfig
from pathlib import Path

import pytest

from codex.errors import UsageError
from codex.records import NearDuplicates


def _words(source: random.Random, count: int) -> list[str]:
    return ["".join(source.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(count)]


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


def _similarity(one: str, other: str) -> float:
    return _in_common(_shingles(one), _shingles(other))


def _in_common(ours: set[tuple[str, ...]], theirs: set[tuple[str, ...]]) -> float:
    return len(ours & theirs) / max(1, len(ours | theirs))


def _planted(source: random.Random, wanted: float) -> tuple[str, str]:
    """Two texts of 400 words whose similarity is at least `wanted`, and hardly more: the second ends otherwise."""
    words = _words(source, 400)
    shared = next(shared for shared in range(400, 0, -1) if (shared - 4) / (2 * 396 - (shared - 4)) < wanted)
    one, other = " ".join(words), " ".join(words[: shared + 1] + _words(source, 399 - shared))
    assert wanted <= _similarity(one, other) < wanted + 0.01
    return one, other


@pytest.mark.parametrize(("wanted", "least", "most"), [(0.8, 0.95, 1.0), (0.9, 0.99, 1.0), (0.6, 0.0, 0.02)])
def test_planted_pairs_are_found_as_often_as_is_promised(wanted: float, least: float, most: float) -> None:
    source = random.Random(f"near {wanted}")
    pairs = [_planted(source, wanted) for _ in range(300)]
    near = NearDuplicates(threshold=0.8)
    near.add_many([text for pair in pairs for text in pair])
    groups = near.groups()
    assert all(group == [group[0], group[0] + 1] and group[0] % 2 == 0 for group in groups)
    assert least <= len(groups) / len(pairs) <= most


def test_the_estimate_is_near_the_similarity_of_the_sets() -> None:
    source = random.Random(2)
    near = NearDuplicates()
    texts = [text for wanted in (0.3, 0.5, 0.7, 0.9) for _ in range(40) for text in _planted(source, wanted)]
    near.add_many(texts, threads=2)
    errors = [
        near.similarity(place, place + 1) - _similarity(texts[place], texts[place + 1])
        for place in range(0, len(texts), 2)
    ]
    assert max(map(abs, errors)) < 0.2 and abs(sum(errors) / len(errors)) < 0.01


def test_look_alike_files_of_the_standard_library_come_together_and_no_others() -> None:
    folder = Path(sysconfig.get_path("stdlib")) / "encodings"
    files = sorted(folder.glob("*.py"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    near = NearDuplicates()
    near.add_many(texts)
    names = [{files[place].stem for place in group} for group in near.groups()]
    for twins in ({"cp037", "cp500"}, {"koi8_r", "koi8_u"}, {"cp850", "cp858"}, {"cp1252", "iso8859_1"}):
        assert any(twins <= group for group in names), twins
    firsts = near.firsts()
    sets = [_shingles(" ".join(re.findall(r"[a-z0-9_]+", text.lower()))) for text in texts]
    for place, ours in enumerate(sets):
        alike = [_in_common(ours, theirs) for theirs in sets]
        for other, similarity in enumerate(alike):
            assert similarity < 0.87 or firsts[other] == firsts[place], (files[place], files[other])
        del alike[place]
        if firsts.count(firsts[place]) > 1:
            assert max(alike) > 0.68, f"{files[place]} is like no other"


def test_the_answer_depends_on_the_texts_alone() -> None:
    source = random.Random(3)
    texts = [text for _ in range(40) for text in _planted(source, 0.85)]
    source.shuffle(texts)
    near = [NearDuplicates() for _ in range(3)]
    near[0].add_many(texts, threads=1)
    near[1].add_many(texts, threads=5)
    assert [near[2].add(text) for text in texts] == list(range(len(texts)))
    assert near[0].firsts() == near[1].firsts() == near[2].firsts()
    places = random.Random(4).sample(range(len(texts)), len(texts))
    shuffled = NearDuplicates()
    shuffled.add_many([texts[place] for place in places])
    back = sorted(sorted(places[place] for place in group) for group in shuffled.groups())
    assert back == near[0].groups()


def test_shingles_of_your_own_are_taken_as_sets() -> None:
    near = NearDuplicates()
    assert [near.add_shingles(shingles) for shingles in (["a b", "c"], ["c", "a b", "c"], ["ab c"], [])] == [
        0,
        1,
        2,
        3,
    ]
    assert (near.groups(), near.similarity(0, 1), len(near)) == ([[0, 1]], 1.0, 4)
    with pytest.raises(TypeError):
        near.add_shingles([1])  # type: ignore[list-item]
    with pytest.raises(IndexError, match="no text 4"):
        near.similarity(0, 4)


@pytest.mark.parametrize(
    ("threshold", "words", "message"),
    [
        (0.3, 5, "`threshold` is 0.3, expected 0.5 to 1"),
        (1.5, 5, "`threshold` is 1.5, expected 0.5 to 1"),
        (0.8, 0, "`shingle_words` is 0, expected 1 to 100"),
        (0.8, -1, "`shingle_words` is 0, expected 1 to 100"),
    ],
)
def test_settings_out_of_range_are_refused(threshold: float, words: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        NearDuplicates(threshold, shingle_words=words)
    with pytest.raises(UsageError, match="`threads` is 0"):
        NearDuplicates().add_many([], threads=0)
