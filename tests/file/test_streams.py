"""Compressed files are read by their magic number, as the standard library wrote them; damage is named."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.errors import DataError
from codex.file import read_bytes

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


def text(lines: int) -> bytes:
    numbers = random.Random(lines)
    return b"".join(b"%d %d\n" % (line, numbers.getrandbits(40)) for line in range(lines))


@pytest.fixture(params=COMPRESS)
def format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("members", [[0], [1], [20_000], [3, 0, 9000, 1]])
def test_what_the_standard_library_wrote_is_read_whatever_its_name(
    tmp_path: Path, format: str, members: list[int]
) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(b"".join(COMPRESS[format](text(lines)) for lines in members))
    assert read_bytes(path) == b"".join(text(lines) for lines in members)


def test_levels_and_checks_make_no_difference(tmp_path: Path) -> None:
    data = text(5000)
    packed = [gzip.compress(data, level) for level in (0, 1, 9)] + [
        bz2.compress(data, level) for level in (1, 9)
    ]
    packed += [
        lzma.compress(data, check=check) for check in (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256)
    ]
    packed += [lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)]
    for content in packed:
        (tmp_path / "data").write_bytes(content)
        assert read_bytes(tmp_path / "data") == data


def test_a_cut_file_is_named_with_how_far_it_went(tmp_path: Path, format: str) -> None:
    whole = COMPRESS[format](text(2000))
    for length in range(6, len(whole), 97):
        (tmp_path / "cut.gz").write_bytes(whole[:length])
        with pytest.raises(
            DataError, match=rf"cut.gz`: the {format} stream is cut short after \d+ plain bytes"
        ):
            read_bytes(tmp_path / "cut.gz")


def test_a_damaged_file_is_named(tmp_path: Path, format: str) -> None:
    data = text(2000)
    whole = COMPRESS[format](data)
    numbers = random.Random(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[numbers.randrange(12, len(whole))] ^= 1 << numbers.randrange(8)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            assert read_bytes(tmp_path / "damaged", limit_bytes=1 << 20) == data
        except DataError as error:
            refused += 1
            assert "damaged`" in str(error)
    assert refused > 195


def test_a_bomb_costs_no_more_than_the_limit(tmp_path: Path, format: str) -> None:
    (tmp_path / "bomb").write_bytes(COMPRESS[format](bytes(30_000_000)))
    with pytest.raises(DataError, match="holds more than the limit of 1000 bytes"):
        read_bytes(tmp_path / "bomb", limit_bytes=1000)
