"""A file comes in pieces that together are the whole, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from codex.errors import DataError, MissingDataError, UsageError
from codex.text import detect, detect_file, open_text, read_text
from codex.text.stream import PIECE_BYTES

FRENCH = "Déjà vu : où êtes-vous allés cet été ?\r\n"
JAPANESE = "昨日は友達と映画を見に行きました。\n"
LONG = PIECE_BYTES * 3 // len(FRENCH)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_the_pieces_are_the_text_however_it_is_packed(pack: type[bytes], tmp_path: Path) -> None:
    path = tmp_path / "french"
    path.write_bytes(pack((FRENCH * LONG).encode("cp1252")))
    stream = open_text(path)
    pieces = list(stream)
    assert len(pieces) > 2
    assert ("".join(pieces), stream.encoding) == (read_text(path).text, "cp1252")
    assert detect_file(path) == detect((FRENCH * LONG).encode("cp1252"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be", "cp932", "iso2022_jp"])
@pytest.mark.parametrize("newline", [None, "\n", "\r\n"])
def test_no_cut_is_seen(encoding: str, newline: str | None, tmp_path: Path) -> None:
    text = "あ" + JAPANESE.replace("\n", "\r\n") * (PIECE_BYTES // 20)
    (tmp_path / "a").write_bytes(text.encode(encoding))
    pieces = open_text(tmp_path / "a", encoding, newline=newline)
    assert "".join(pieces) == read_text(tmp_path / "a", encoding, newline=newline).text


@pytest.mark.parametrize("errors", ["replace", "repair"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_damage_is_mended_and_counted_as_in_the_whole(
    errors: Literal["replace", "repair"], encoding: str, tmp_path: Path
) -> None:
    line = JAPANESE.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    data = b"".join(b"t\xe9te\n" if n % 5000 == 4999 else line for n in range(20_000))
    (tmp_path / "a").write_bytes((b"\xef\xbb\xbf" if encoding == "utf-8-sig" else b"") + data)
    whole = read_text(tmp_path / "a", errors=errors)
    stream = open_text(tmp_path / "a", errors=errors)
    assert "".join(stream) == whole.text
    assert (stream.encoding, stream.errors) == (encoding, whole.errors)


def test_strict_names_the_byte_in_the_file(tmp_path: Path) -> None:
    at = PIECE_BYTES + 7
    (tmp_path / "a").write_bytes(b"a" * at + b"\xff" + b"b" * PIECE_BYTES)
    with pytest.raises(DataError, match=f"a`: not utf-8: byte 0xff at {at}"):
        list(open_text(tmp_path / "a", "utf-8"))


def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * PIECE_BYTES * 2)
    stream = open_text(path)
    next(stream)
    path.write_bytes(b"b" * PIECE_BYTES * 3)
    with pytest.raises(DataError, match="a` changed while it was read"):
        list(stream)


def test_what_is_no_file_is_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name, kind in (("fifo", DataError), (".", DataError), ("missing", MissingDataError)):
        with pytest.raises(kind):
            open_text(tmp_path / name)
    (tmp_path / "a").write_bytes(b"a\0b\n")
    with pytest.raises(DataError, match="NUL"):
        list(open_text(tmp_path / "a", "ascii"))
    assert "".join(open_text(tmp_path / "a", "ascii", nul="drop")) == "ab\n"
    with pytest.raises(UsageError, match="`errors` is `ignore`"):
        open_text(tmp_path / "a", errors="ignore")  # type: ignore[arg-type]


def test_a_sparse_gibibyte_is_refused_in_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    code = """
import resource, sys
from codex.errors import DataError
from codex.text import open_text
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    open_text(sys.argv[1])
except DataError as error:
    print(error.message)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    words = [sys.executable, "-c", code, str(tmp_path / "sparse")]
    answer = subprocess.run(
        words, check=True, capture_output=True, text=True, timeout=120
    ).stdout.splitlines()
    assert answer[0].endswith("sparse`: not text: binary: many controls")
    assert int(answer[1]) < 16_000  # kB
