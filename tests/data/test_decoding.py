"""A file of a corpus is read in the encoding it declares, else in the one its bytes are surely in, else not at all."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from codex.data.decoding import decode_file
from codex.errors import DataError

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n"
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866", "utf-16-le", "utf-16", "iso2022_jp"])
def test_what_declares_nothing_is_read_only_if_asked(encoding: str) -> None:
    text = "日本語のテキストです。\n" * 3 if encoding == "iso2022_jp" else RUSSIAN * 3
    data = text.replace("\n", "\r\n").encode(encoding)
    decoded = decode_file(data, "a.txt", "auto")
    assert (decoded.text, decoded.encoding, decoded.newlines) == (
        text,
        "utf-16-le" if encoding == "utf-16" else encoding,
        "crlf",
    )
    if encoding not in ("utf-16", "iso2022_jp"):  # a mark, and escapes that are ASCII
        with pytest.raises(DataError):
            decode_file(data, "a.txt", "declared")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"na\xefve", r"not utf-8: byte 0xef at 2 \(\d\d% sure as cp1252\)"),
        ((RUSSIAN * 3).encode() + b"\xff", r"not utf-8: byte 0xff at \d+ \(1 errors as utf-8\)"),
        (b"\0\1\2\3", "not text: NUL byte at 0"),
        (b"\x89PNG\r\n\x1a\n", "not utf-8: byte 0x89 at 0"),
    ],
)
def test_what_is_not_sure_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=f"^{reason}$"):
        decode_file(data, "a.txt", "auto")


def test_a_source_that_contradicts_itself_stays_refused() -> None:
    with pytest.raises(DataError, match="unknown encoding cookie `klingon`"):
        decode_file(b"# coding: klingon\n\xe9", "a.py", "auto")


def test_a_name_in_the_markup_is_a_hint_and_no_order() -> None:
    page = "<?xml version='1.0' encoding='{}'?>\n<p>{}</p>\n"
    honest = page.format("iso-8859-15", "Größe: 5 €").encode("iso-8859-15")
    assert decode_file(honest, "a.xml", "auto").encoding == "iso8859-15"
    wrong = page.format("iso-8859-1", RUSSIAN * 3).encode("cp1251")
    assert RUSSIAN * 3 in decode_file(wrong, "a.xml", "auto").text


def test_the_odd_encodings_of_the_interpreters_own_test_data_are_read() -> None:
    folder = STANDARD_LIBRARY / "test" / "cjkencodings"
    if not folder.is_dir():
        pytest.skip("this interpreter comes without its tests")
    refused = []
    for path in sorted(folder.glob("*.txt")):
        data = path.read_bytes()
        try:
            decoded = decode_file(data, path.name, "auto")
        except DataError:
            refused.append(path.name)
            continue
        twin = path.with_name(f"{path.stem}-utf8.txt")
        wanted = (twin if twin.exists() else path).read_bytes().decode()
        assert decoded.text == wanted.replace("\r\n", "\n"), path.name
    assert refused == ["big5hkscs.txt"]  # five characters, two of them Latin letters
