"""The codecs a cookie can name are Python's own, byte for byte."""

from __future__ import annotations

import codecs
import encodings.aliases
import importlib.util
import itertools
import random
from pathlib import Path
from types import ModuleType

import pytest

from codex.errors import DataError
from codex.text import decode

TABLES = Path(__file__).parents[2] / "rust" / "codex-text" / "tables"

# One of these stands for the next one to come, so that a row of the file is a row of the test.
MODULES = [
    line.split(": ")[1].split()[0]
    for file in sorted(TABLES.glob("*.txt"))
    for line in file.read_text("utf-8").splitlines()
    if ": " in line
]
MULTI_BYTE = {
    "big5",
    "big5hkscs",
    "cp932",
    "cp949",
    "cp950",
    "euc_jis_2004",
    "euc_jisx0213",
    "euc_jp",
    "euc_kr",
    "gb18030",
    "gb2312",
    "gbk",
    "johab",
    "shift_jis",
    "shift_jis_2004",
    "shift_jisx0213",
}
# Spellings that Pythons after 3.11 have learnt; the tables stay as they are, so that a text does not depend on Python.
NEWER = {"windows_31j"}
# Eight bytes a4 d4 ... of EUC-KR spell a syllable by its letters: refused here, and never anything else.
REFUSED_BY_US = {"euc_kr": b"\xa4\xd4"}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", TABLES / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours(data: bytes, codec: str) -> str | None:
    cookie = f"# coding: {codec}\n"
    try:
        decoded = decode(cookie.encode() + data, name="x.py")
    except DataError:
        return None
    assert decoded.encoding == codecs.lookup(codec).name
    return decoded.text.removeprefix(cookie)


def pythons(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_tables_are_what_this_interpreter_writes(generator: ModuleType) -> None:
    assert (TABLES / "single_byte.txt").read_text("utf-8") == generator.single_byte()
    for file in generator.MULTI:
        written = generator.multi_byte(file)
        for spelling in NEWER:
            written = written.replace(f" {spelling}", "")
        assert (TABLES / file).read_text("utf-8") == written


def test_a_table_tells_what_came_before_only_once(generator: ModuleType) -> None:
    packed = generator.Packed()
    assert [packed.tell(row) for row in ("一丁丂七丄丅..き", "z..一丁丂七丄丅..きく", "....abcdefg")] == [
        "一*5.2き",
        "z.2@0+9く",
        ".4a*6",
    ]


@pytest.mark.parametrize("codec", MODULES)
def test_every_byte_is_pythons(codec: str) -> None:
    for byte in range(1, 256):
        data = bytes([byte])
        # The cookie is decoded too: under EBCDIC it is no longer ASCII, so the whole file is compared.
        whole = f"# coding: {codec}\n".encode() + data
        try:
            found: str | None = decode(whole, name="x.py").text
        except DataError:
            found = None
        assert found == pythons(whole, codec), data


@pytest.mark.parametrize("codec", sorted(MULTI_BYTE))
def test_every_pair_of_bytes_is_pythons(codec: str) -> None:
    for first in range(0x80, 256):
        pairs = [bytes([first, second]) for second in range(1, 256)]
        good = [pair for pair in pairs if pythons(pair, codec) is not None]
        good = [pair for pair in good if pair != REFUSED_BY_US.get(codec)]
        joined = b"\n".join(good)
        assert ours(joined, codec) == pythons(joined, codec)
        for pair in set(pairs) - set(good):
            assert ours(pair, codec) is None, pair


@pytest.mark.parametrize("codec", ["euc_jp", "euc_jis_2004", "euc_jisx0213"])
def test_every_three_bytes_are_pythons(codec: str) -> None:
    for second in range(0xA1, 0xFF):
        triples = [bytes([0x8F, second, third]) for third in range(0xA1, 0xFF)]
        good = [triple for triple in triples if pythons(triple, codec) is not None]
        assert ours(b"".join(good), codec) == pythons(b"".join(good), codec)
        assert [triple for triple in triples if ours(triple, codec) is None] == [
            triple for triple in triples if triple not in good
        ]


def test_four_bytes_are_pythons() -> None:
    for first, second in itertools.product(
        (0x81, 0x82, 0x83, 0x84, 0x90, 0x95, 0xE3, 0xE4), range(0x30, 0x3A)
    ):
        quads = [
            bytes([first, second, third, fourth])
            for third in range(0x81, 0xFF)
            for fourth in range(0x30, 0x3A)
        ]
        good = [quad for quad in quads if pythons(quad, "gb18030") is not None]
        assert ours(b"".join(good), "gb18030") == pythons(b"".join(good), "gb18030")
        for bad in (set(quads) - set(good)) if len(good) < len(quads) else ():
            assert ours(bad, "gb18030") is None, bad


@pytest.mark.parametrize("codec", sorted(MULTI_BYTE))
def test_random_bytes_are_pythons_or_refused(codec: str) -> None:
    source = random.Random(20261121)
    accepted = 0
    for _ in range(4000):
        data = bytes(source.choices(range(1, 256), k=source.randrange(1, 7)))
        found, wanted = ours(data, codec), pythons(data, codec)
        accepted += found is not None
        if found is None and wanted is not None:
            assert REFUSED_BY_US[codec] in data
        else:
            assert found == wanted, data
    assert accepted > 200


SPELLINGS = {*encodings.aliases.aliases, *encodings.aliases.aliases.values()} - NEWER


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_every_spelling_python_knows_is_found_or_refused_by_name(spelling: str) -> None:
    cookie = f"# coding: {spelling}\n".encode()
    try:
        codec = codecs.lookup(spelling).name
    except (
        LookupError
    ):  # `csHPRoman8`: an alias that is not lower case is never found; `mbcs` elsewhere than on Windows
        codec = "nothing"
    ours = {codecs.lookup(module).name for module in (*MODULES, "utf_8")}
    if codec not in ours:
        with pytest.raises(DataError, match=f"^unknown encoding cookie `{spelling}`$"):
            decode(cookie, name="x.py")
    elif (text := pythons(cookie, codec)) is not None:
        decoded = decode(cookie, name="x.py")
        assert (decoded.text, decoded.encoding) == (text, codec)
    else:  # an EBCDIC in which the cookie itself is no text
        with pytest.raises(DataError, match=f"^not {codec}: byte"):
            decode(cookie, name="x.py")
