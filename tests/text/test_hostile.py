"""Input made to be slow: the work grows with its size and no faster."""

from __future__ import annotations

import random
import time

import pytest

from codex.text import detect

FLOODS = {
    "base64": b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo+YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo/" + b"\n",
    "a plus before each word": b"+AGE",
    "a tilde and a brace": b"~{",
    "a declared charset": b"<meta charset=",
    "escapes": b"\x1b",
    "escapes to Japanese": b"\x1b$B",
    "one high byte": b"\xe9",
    "bytes that never begin a character": b"\x80",
    "first bytes of UTF-8": b"\xc3",
    "first halves of characters": b"\xf0\x9f",
    "four bytes of gb18030": b"\x81\x30\x81\x30",
    "half UTF-8, half not": b"\xc3\xa9\xff",
    "good sequences beside bad ones": "Ça, déjà?\n".encode() + b"\xe9t\xe9 \xff\x80 \xe2\x82z\n",
    "high bytes at random": bytes(random.Random(5).choices(range(0x80, 0x100), k=1 << 15)),
    "bytes at random": random.Random(5).randbytes(1 << 15),
    "carriage returns": b"\r",
    "zero bytes": b"\0",
}
#: Sixteen times the bytes are sixteen times the work; in the square of it they would be 256 times.
TIMES, MOST = 16, 48


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_the_work_grows_with_the_size_and_no_faster(flood: bytes) -> None:
    small = flood * ((1 << 18) // len(flood))
    assert _seconds(small * TIMES) < MOST * max(_seconds(small), 0.0005)


#: Megabytes that the fixed cost of an answer is small beside, and what a flood of them may cost, over plain text.
LARGE_MB, MOST_OF_PLAIN = 32, 3


def test_a_flood_costs_no_more_than_three_times_the_plain_scan() -> None:
    plain = _seconds(_flood(b"A plain line of text, and another.\n"))
    for name, flood in FLOODS.items():
        assert _seconds(_flood(flood)) < MOST_OF_PLAIN * plain, name


def _flood(flood: bytes) -> bytes:
    return flood * (LARGE_MB * 1_000_000 // len(flood))


def test_one_late_byte_costs_no_more_than_the_text_before_it() -> None:
    text = b"A plain line of text, and another.\n" * (1 << 18)
    late = text + b"\xe9t\xe9"
    assert detect(late).encoding == "cp1252"
    assert _seconds(late) < 3 * _seconds(text)


def _seconds(data: bytes) -> float:
    """CPU seconds of this process, the least of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        detect(data)
        taken.append(time.process_time() - start)
    return min(taken)
