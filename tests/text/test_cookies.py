"""Which encoding a Python source declares, held to `tokenize.detect_encoding`."""

from __future__ import annotations

import codecs
import io
import sys
import tokenize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex.errors import DataError
from codex.text import decode

PIECES = [
    b"#", b"# ", b"coding", b"coding:", b"coding=", b" ", b"\t", b"\x0c", b"\n", b"\r", b"\r\n", b"x = 1",
    b"-*- coding: ", b"utf-8", b"UTF_8", b"utf8", b"utf-8-sig", b"latin-1", b"Latin_1-unix", b"iso-8859-15",
    b"cp1252", b"koi8-r", b"euc-jp", b"ascii", b"klingon", b"utf-7", b"utf-16", b"rot13", b".", b"_", b"-",
    b"\xef\xbb\xbf", b"\xc3\xa9", b"\xe9", b"'''", b"#!/usr/bin/python\n",
]  # fmt: skip
# Codecs Python has and we refuse by name: stateful, escaping, or Unicode forms that only a mark may declare.
NOT_OURS = {"utf-7", "utf-16", "rot13"}


def pythons(data: bytes) -> tuple[str, str] | None:
    """Encoding and text, or None where Python refuses."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        with io.TextIOWrapper(io.BytesIO(data), encoding) as file:
            return codecs.lookup(encoding).name.removesuffix("-sig"), file.read()
    except (SyntaxError, UnicodeError, LookupError):
        return None


def is_refused_by_us_alone(data: bytes, reason: str) -> bool:
    """Named codecs, and what newer Pythons take since: a cookie on or behind a line that is not UTF-8."""
    try:
        b"".join(list(io.BytesIO(data))[:2]).decode()
    except UnicodeDecodeError:
        return sys.version_info >= (3, 13)
    return reason.removeprefix("unknown encoding cookie `").removesuffix("`") in NOT_OURS


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_a_source_is_read_as_python_reads_it(data: bytes) -> None:
    try:
        decoded = decode(data, name="x.py")
    except DataError as error:
        assert pythons(data) is None or is_refused_by_us_alone(data, str(error))
    else:
        assert (decoded.encoding, decoded.text) == pythons(data)


@pytest.mark.parametrize(
    ("source", "encoding", "text"),
    [
        (b"# coding: latin-1\n\x93\xe9\x85", "iso8859-1", "\x93é\x85"),
        (b"#!/bin/python\n# vim: set fileencoding=cp1252 :\n\x93", "cp1252", "“"),
        (b"# coding: iso-8859-15\n\xa4", "iso8859-15", "€"),
        (b"# coding: koi8-r\n\xc4\xc1", "koi8-r", "да"),
        (b"# coding: euc-jp\n\xa4\xa2", "euc_jp", "あ"),
        (b"# coding: shift_jis\n\x82\xa0\x81\x60", "shift_jis", "あ〜"),
        (b"# coding: gbk\n\xc4\xe3", "gbk", "你"),
        (b"# coding: big5\n\xa7\x41", "big5", "你"),
        (b"\xef\xbb\xbf# coding: utf-8\n\xc3\xa9", "utf-8", "é"),
    ],
)
def test_named_encodings(source: bytes, encoding: str, text: str) -> None:
    decoded = decode(source, name="x.py")
    assert decoded.encoding == encoding and decoded.text.endswith(f"\n{text}")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"# coding: klingon\n", "unknown encoding cookie `klingon`"),
        (b"# coding: utf-7\n", "unknown encoding cookie `utf-7`"),
        (b"# coding: unicode_escape\n\\u00e9", "unknown encoding cookie `unicode_escape`"),
        (b"# coding: utf-16\n", "unknown encoding cookie `utf-16`"),
        (
            b"\xef\xbb\xbf# coding: latin-1\n",
            "encoding cookie `latin-1` contradicts the UTF-8 byte-order mark",
        ),
        (b"# coding: ascii\n\xe9", "not ascii: byte 0xe9 at 16"),
        (b"# coding: cp1252\n\x81", "not cp1252: byte 0x81 at 17"),
        (b"# coding: gbk\n\xc4", "not gbk: byte 0xc4 at 14"),
        (b"x = 1\n# coding: latin-1\n\xe9", "not utf-8: byte 0xe9 at 24"),
        (b"# coding: latin-1\n\0", "not text: NUL byte at 18"),
    ],
)
def test_what_a_cookie_cannot_make_text_is_refused(source: bytes, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        decode(source, name="folder/x.py")
    assert str(caught.value) == reason
