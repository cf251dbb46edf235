# ruff: noqa: RUF001
"""Files that others wrote and named the encoding of: the interpreter's own test data, and what the best peers agree on."""

from __future__ import annotations

import random
import sysconfig
from pathlib import Path

import pytest

from codex.text import detect, read_text

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
#: The answers that hold what these files are in. `euc_kr.txt` spells syllables by letters, which only `euc_kr` puts together.
CALLED = {
    "big5",
    "cp949",
    "euc_jp",
    "gb18030",
    "gb2312",
    "gbk",
    "hz",
    "iso2022_jp",
    "iso2022_kr",
    "johab",
    "shift_jis",
}
CJK = sorted(path for path in (LIBRARY / "test" / "cjkencodings").glob("*.txt") if path.stem in CALLED)


@pytest.mark.skipif(not CJK, reason="the interpreter came without its tests")
@pytest.mark.parametrize("path", CJK, ids=lambda path: path.stem)
def test_the_interpreters_east_asian_files_are_read(path: Path) -> None:
    """Each has a twin in UTF-8."""
    assert read_text(path).text == path.with_name(f"{path.stem}-utf8.txt").read_text("utf-8")


#: What Python's `test_source_encoding` and `lib2to3` keep, with the encoding their first lines name.
SOURCES = {
    "test/encoded_modules/module_iso_8859_1.py": "iso8859-1",
    "test/encoded_modules/module_koi8_r.py": "koi8-r",
    "lib2to3/tests/data/different_encoding.py": "utf-8",
}


@pytest.mark.parametrize(("name", "encoding"), SOURCES.items())
def test_the_interpreters_sources_are_read(name: str, encoding: str) -> None:
    path = LIBRARY / name
    if not path.exists():
        pytest.skip("the interpreter came without its tests")
    data = path.read_bytes()
    found = detect(data)
    assert found.encoding is not None
    assert data.decode(found.encoding) == data.decode(encoding), found


PANGRAMS = {
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl král a šel domů spát.",
    "cp1251": "Вчера вечером мы ходили в кино и смотрели новый фильм о войне.",
    "cp1252": "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "cp1253": "Χθες το βράδυ πήγαμε στον κινηματογράφο και είδαμε μια νέα ταινία.",
    "koi8-r": "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "cp932": "昨日の夕方、私たちは映画館に行って新しい映画を見ました。",
    "gb18030": "昨天晚上我们去电影院看了一部新电影，然后回家了。",
    "cp949": "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다.",
    "utf-8": "Naïve café, crème brûlée, déjà vu.",
    "ascii": "The quick brown fox jumps over the lazy dog.",
}


def test_where_the_peers_agree_on_a_text_so_do_we() -> None:
    """Two detectors made in other ways: where both read the same text, ours is that text."""
    chardet = pytest.importorskip("chardet")
    normalizer = pytest.importorskip("charset_normalizer")
    dice = random.Random(11)
    agreed = 0
    for encoding, sentence in PANGRAMS.items():
        words = sentence.split()
        for _ in range(8):
            text = " ".join(dice.sample(words, len(words)) * 3)
            data = text.encode(encoding)
            best = normalizer.from_bytes(data).best()
            names = [chardet.detect(data)["encoding"], best.encoding if best else None]
            texts = {data.decode(name, "replace") for name in names if name}
            if len(texts) == 1 and None not in names:
                agreed += 1
                assert data.decode(str(detect(data).encoding)) in texts, (encoding, names)
    assert agreed > 40
