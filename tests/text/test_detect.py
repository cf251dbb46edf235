# ruff: noqa: RUF001
"""The encoding is found, whatever the length, the damage and the way the bytes come."""

from __future__ import annotations

import random
import struct
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from codex.text import Detector, detect, from_bytes, is_binary

# Sentences written for this file: (encoding, text). To add a case, add a row.
PASSAGES = [
    ("ascii", "The quick brown fox jumps over the lazy dog."),
    ("utf-8", "Žluťoučký kůň – très bien, naïve, 漢字, привет"),
    ("utf-16-le", "Wide characters without a mark: grüße"),
    ("utf-16-be", "Wide characters without a mark: grüße"),
    ("utf-16-le", "Сегодня хорошая погода, и мы идём гулять."),
    ("utf-16-be", "今日は天気がいいから散歩しましょう。"),
    ("utf-32-le", "четыре байта"),
    ("utf-32-be", "四个字节一个字"),
    ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl král a šel domů."),
    ("iso8859-2", "Zażółć gęślą jaźń, powiedziała ciocia i poszła śpiewać."),
    ("cp852", "A gyerekek a kertben játszottak, amíg elkezdődött a vihar és esett az eső."),
    ("cp1251", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("koi8-r", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("koi8-u", "Учора ввечері ми ходили в кіно й дивилися новий фільм, її знято в Києві."),
    ("cp866", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("iso8859-5", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("mac-cyrillic", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("cp855", "Вчера вечером мы ходили в кино и смотрели новый фильм."),
    ("cp1252", "Déjà vu : « Où êtes-vous ? » — l’été dernier, à la plage…"),
    ("cp1252", "Der Bär läuft über die Brücke und grüßt „seine“ Freunde."),
    ("cp850", "Der Bär läuft über die Brücke und grüßt schöne Mädchen."),
    ("mac-roman", "Der Bär läuft über die Brücke und grüßt schöne Mädchen."),
    ("cp1253", "Χθες το βράδυ πήγαμε στον κινηματογράφο και είδαμε μια ταινία."),
    ("cp737", "Χθες το βράδυ πήγαμε στον κινηματογράφο και είδαμε μια ταινία."),
    ("cp1254", "Dün akşam sinemaya gittik ve güzel bir film izledik, sonra çay içtik."),
    ("cp1255", "אתמול בערב הלכנו לקולנוע וראינו סרט חדש"),
    ("cp862", "אתמול בערב הלכנו לקולנוע וראינו סרט חדש"),
    ("cp1256", "ذهبنا مساء أمس إلى السينما وشاهدنا فيلما جديدا"),
    ("iso8859-6", "ذهبنا مساء أمس إلى السينما وشاهدنا فيلما جديدا"),
    ("cp1257", "Vakar vakare ėjome į kiną ir žiūrėjome naują filmą, šalta žiema."),
    ("iso8859-4", "Vakar vakarā mēs gājām uz kino un skatījāmies jaunu filmu, ļoti labu."),
    ("cp874", "เมื่อวานนี้เราไปดูหนังเรื่องใหม่ที่โรงภาพยนตร์"),
    ("cp932", "昨日の夜、私たちは映画館で新しい映画を見ました。"),
    ("euc_jp", "昨日の夜、私たちは映画館で新しい映画を見ました。"),
    ("iso2022_jp", "昨日の夜、私たちは映画館で新しい映画を見ました。"),
    ("gb18030", "昨天晚上我们去电影院看了一部新电影。"),
    ("hz", "昨天晚上我们去电影院看了一部新电影。"),
    ("cp950", "昨天晚上我們去電影院看了一部新電影。"),
    ("cp949", "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다."),
    ("johab", "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다."),
    ("iso2022_kr", "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다."),
    ("utf-7", "Déjà vu, naïve, où"),
    ("cp037", "Yesterday evening we went to the cinema and saw a new film."),
    ("cp500", "Yesterday evening we went to the cinema! It was good, wasn't it?"),
]


@pytest.mark.parametrize(("encoding", "text"), PASSAGES)
def test_a_sentence_is_found_to_be_what_it_is(encoding: str, text: str) -> None:
    data = text.encode(encoding)
    found = detect(data)
    assert found.encoding is not None, found
    assert data.decode(found.encoding) == text, found
    assert found.errors == 0


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_is_read_and_dropped(codec: str) -> None:
    data = "grüße\r\n漢字".encode(codec)
    found = detect(data)
    assert (found.encoding, found.byte_order_mark, found.confidence) == (codec, True, 1.0)
    assert data.decode(codec) == "grüße\r\n漢字"


def test_nothing_is_ascii() -> None:
    assert detect(b"").encoding == "ascii"
    assert [detect(bytes([byte])).encoding for byte in (b"a"[0], b"\n"[0])] == ["ascii", "ascii"]


LINES = [f"Zeile {n}: die Größe beträgt {n} Meter, schöne Grüße\n" for n in range(80)]


@pytest.mark.parametrize("bad", [b"\xe9", b"\xff", b"\x80", b"\xc3", b"\xf0\x9f"])
def test_one_bad_byte_does_not_turn_utf_8_into_something_else(bad: bytes) -> None:
    data = "".join(LINES).encode()
    for at in random.Random(7).sample(range(len(data)), 40):
        while 0x80 <= data[at] < 0xC0:
            at -= 1
        found = detect(data[:at] + bad + data[at:])
        assert found.encoding == "utf-8"
        assert found.places[0] in (at, at + 1)  # a lead byte may swallow the mark of another


def test_a_line_of_windows_1252_does_not_turn_utf_8_into_something_else() -> None:
    lines = [line.encode() for line in LINES]
    lines[40] = LINES[40].encode("cp1252")
    found = detect(b"".join(lines))
    assert (found.encoding, found.errors) == ("utf-8", 6)
    assert found.places[0] == sum(map(len, lines[:40])) + LINES[40].index("ö")


def test_a_cut_tail_is_one_error() -> None:
    found = detect("Größe: 漢".encode()[:-1])
    assert (found.encoding, found.errors) == ("utf-8", 1)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "cp932", "gb18030", "cp949", "utf-8"])
def test_text_after_300_kb_of_ascii_is_seen(encoding: str) -> None:
    text = dict(PASSAGES)[encoding] * 3
    data = b"plain words, and nothing but them\n" * 9000 + text.encode(encoding)
    found = detect(data)
    assert found.encoding is not None
    assert data.decode(found.encoding).endswith(text)


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "gb18030", "cp949", "cp950"])
@pytest.mark.parametrize("damage", [b"\x81 ", "déjà vu\n".encode("cp1252")])
def test_damage_does_not_hide_an_east_asian_encoding(encoding: str, damage: bytes) -> None:
    line = dict(PASSAGES)[encoding].encode(encoding) + b"\n"
    found = detect(line * 30 + damage + line * 30)
    assert found.encoding == encoding
    assert found.errors >= 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_of_odd_length_is_wide_text_with_an_error(encoding: str) -> None:
    data = "An odd number of bytes, for whatever reason.".encode(encoding)
    found = detect(data[:-1])
    assert (found.encoding, found.errors, found.places) == (encoding, 1, (len(data) - 2,))


@pytest.mark.parametrize("length", [64, 256, 4096, 70_000])
def test_noise_is_binary(length: int) -> None:
    for seed in range(20):
        assert is_binary(random.Random(seed).randbytes(length)), seed


def test_formats_are_binary() -> None:
    with Path(sys.executable).open("rb") as file:
        program = file.read(1 << 20)
    assert is_binary(program)
    pieces = [program[at : at + 4096] for at in range(0, len(program) - 4096, 40_000)]
    texts = [piece for piece in pieces if not is_binary(piece)]
    assert all(detect(piece).encoding in ("ascii", "utf-8") for piece in texts)
    assert is_binary(struct.pack("<500d", *[n / 7 for n in range(500)]))


def test_escapes_and_form_feeds_are_text() -> None:
    for data in (b"\x1b[31mred\x1b[0m\n" * 5, b"page\x0cpage\n" * 5, b"bold\x08d\n"):
        assert detect(data).encoding == "ascii"


def test_any_cut_gives_the_same_answer() -> None:
    random_ = random.Random(3)
    for encoding, text in PASSAGES:
        data = b"x = 1\n" * random_.randrange(20_000) + text.encode(encoding) * 40
        whole = detect(data)
        cuts = sorted({0, len(data), *(random_.randrange(len(data)) for _ in range(6))})
        detector = Detector()
        for start, end in pairwise(cuts):
            detector.feed(data[start:end])
        assert detector.close() == whole, encoding


def test_a_closed_detector_takes_nothing() -> None:
    detector = Detector()
    detector.close()
    for call in (lambda: detector.feed(b"a"), detector.close):
        with pytest.raises(ValueError, match="the detector is closed"):
            call()


def test_best_answers_as_users_of_charset_normalizer_expect() -> None:
    text = dict(PASSAGES)["cp1251"]
    matches = from_bytes(text.encode("cp1251"))
    best = matches.best()
    assert best is not None
    assert (str(best), best.encoding, best.language, best.bom) == (text, "cp1251", "ru", False)
    assert best.output() == text.encode()
    assert matches[0] is best
    assert len(matches) == len(list(matches)) > 1
    assert from_bytes(random.Random(1).randbytes(500)).best() is None


def test_megabytes_of_one_byte_and_floods_of_escapes_are_answered() -> None:
    for flood in (b"\xe9", b"\x1b$B", b"+AGE", b"~{", b"<meta charset=", b"\x80", b"\xa4", b"A" * 76 + b"\n"):
        data = flood * ((1 << 20) // len(flood))
        assert detect(data).encoding != ""
        assert detect(data) == detect(data)


def test_long_text_is_not_given_up_for_its_capitals() -> None:
    """Case once counted for all pairs before any was read: Russian with many names in cp1251 became `mac-cyrillic`."""
    text = "Николай Петрович Иванов, Анна Сергеевна Кузнецова и Мария Львовна Яковлева.\n" * 2000
    assert detect(text.encode("cp1251")).encoding == "cp1251"
