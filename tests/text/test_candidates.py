# ruff: noqa: RUF001
"""Every encoding of text that Python ships is an answer, the rare ones where the better known do not read the text."""

from __future__ import annotations

import encodings
import pkgutil
import unicodedata

import pytest

from codex.text import detect

#: Codecs that are no encoding of text files: forms of domain names, of source code, of Windows alone.
NO_FILES = {
    "aliases", "base64_codec", "bz2_codec", "charmap", "hex_codec", "idna", "mbcs", "oem", "punycode", "quopri_codec",
    "raw_unicode_escape", "rot_13", "undefined", "unicode_escape", "uu_codec", "zlib_codec",
}  # fmt: skip
MODULES = sorted({module.name for module in pkgutil.iter_modules(encodings.__path__)} - NO_FILES)

SENTENCES = [
    "Der Bär läuft über die Brücke, grüßt schöne Mädchen und wünscht ihnen für den Abend viel Vergnügen.",
    "Où êtes-vous allés cet été, près de la forêt où nous étions déjà passés à l'âge de dix ans ?",
    "A manhã está fria, mas à tarde não haverá chuva, e as crianças irão então à praia com os avós.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl král a šel domů, kde už na něj čekala večeře.",
    "Din păcate, nu ştiu când vine fata să îşi ia cărţile şi nici dacă mâine se întoarce acasă.",
    "Vakar vakare ėjome į kiną ir žiūrėjome naują filmą, o paskui grįžome namo ir gėrėme arbatą.",
    "Dün akşam sinemaya gittik, güzel bir film izledik, sonra eve döndük ve çay içtik, çünkü üşüdük.",
    "Hôm qua chúng tôi đi xem phim mới ở rạp, sau đó về nhà.",
    "Вчера вечером мы ходили в кино и смотрели новый фильм, а потом вернулись домой и пили чай.",
    "Вечорот бевме во кино и гледавме нов филм, а потоа се вративме дома и јадевме заедно.",
    "Χθες το βράδυ πήγαμε στον κινηματογράφο και είδαμε μια νέα ταινία, και μετά γυρίσαμε σπίτι.",
    "אתמול בערב הלכנו לקולנוע וראינו סרט חדש, ואחר כך חזרנו הביתה ושתינו תה",
    "ذهبنا مساء أمس إلى السينما وشاهدنا فيلما جديدا ثم عدنا إلى البيت وشربنا الشاي",
    "ہم کل شام سینما گئے اور ایک نئی فلم دیکھی، پھر گھر واپس آ کر کھانا کھایا",
    "เมื่อวานนี้เราไปดูหนังเรื่องใหม่ที่โรงภาพยนตร์ แล้วก็กลับบ้าน",
    "昨日の夜、私たちは映画館で新しい映画を見ました。それから家に帰ってお茶を飲みました。",
    "昨天晚上我们去电影院看了一部新电影，然后回家了。",
    "昨天晚上我們去電影院看了一部新電影，然後回家了。",
    "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다. 그리고 집에 돌아왔습니다.",
    "Yesterday evening we went to the cinema and saw a new film; then we went home and drank tea.",
]


def _has(module: str, text: str) -> bool:
    try:
        return _encoded(module, text).decode(module) == text
    except UnicodeEncodeError:
        return False


def _encoded(module: str, text: str) -> bytes:
    """The bytes; ASCII is itself where it may be (Python's `mac_arabic` writes other bytes for a space and signs)."""
    if module in ("mac_arabic", "mac_farsi"):
        return b"".join(character.encode("ascii" if character.isascii() else module) for character in text)
    return text.encode(module)


def _written(module: str, text: str) -> str:
    """The text with the characters that people used in the encoding."""
    if module == "cp1258":  # a letter, then its tone
        return "".join(
            character if _has(module, character) else unicodedata.normalize("NFC", letter) + "".join(tone)
            for character in text
            for letter, tone in [_parted(character)]
        )
    if module in ("cp864", "cp1006"):  # letters as they are joined
        forms: dict[str, str] = {}
        for byte in range(0xA1, 0x100):
            form = bytes([byte]).decode(module, "ignore")
            forms.setdefault(unicodedata.normalize("NFKC", form), form)
        words = "".join(forms.get(character, character) for character in text).split(" ")
        return " ".join(word for word in words if _has(module, word))
    return text


def _parted(character: str) -> tuple[str, list[str]]:
    parts = unicodedata.normalize("NFD", character)
    tone = [mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323"]
    return "".join(mark for mark in parts if mark not in tone), tone


def _is_read(module: str, text: str, include: list[str]) -> bool:
    data = _encoded(module, text)
    found = detect(data, include=include)
    return found.encoding is not None and not found.errors and data.decode(found.encoding) == text


@pytest.mark.parametrize("module", MODULES)
def test_text_in_every_encoding_is_read(module: str) -> None:
    """In one of its languages at least, with nothing said and with no other encoding allowed."""
    written = [_written(module, text) for text in SENTENCES]
    is_ascii_itself = module == "ascii" or "a".encode(module) != b"a"
    sentences = [text for text in written if _has(module, text) and (is_ascii_itself or not text.isascii())]
    for include in ([], [module]):
        assert any(_is_read(module, text, include) for text in sentences), (include, sentences)


def test_more_characters_are_no_reason_where_fewer_are_enough() -> None:
    """The wider table is the answer only for what the better known one lacks, whatever the length and wherever it stands."""
    for narrow, wider, text, lacking in (
        ("cp932", "shift_jis_2004", "昨日の夜、私たちは映画館で新しい映画を見ました。\n", "か゚ 硃\n"),
        ("euc_jp", "euc_jis_2004", "昨日の夜、私たちは映画館で新しい映画を見ました。\n", "か゚ 㐂\n"),
        ("cp950", "big5hkscs", "昨天晚上我們去電影院看了一部新電影。\n", "嘅 𠝹\n"),
    ):
        assert text.encode(narrow) == text.encode(wider)
        for times in (1, 40, 4000):
            assert detect((text * times).encode(wider)).encoding == narrow
            mixed = [text * times, lacking, text * times, lacking]
            data = "".join(mixed).encode(wider)
            found = detect(data)
            assert (found.encoding, found.errors) == (wider, 0), times
            assert data.decode(wider) == "".join(mixed)


def test_errors_are_counted_everywhere_however_late_the_encoding_shows() -> None:
    """One character, which is one in many encodings, and nothing else for a whole block."""
    line = "昨天晚上我們去電影院看了一部新電影，然後回家了。\n".encode("cp950")
    late = b" plain words\n" * 6000 + (line * 1000 + b"\xff\n") * 3
    for character in "昨晚家新電":
        found = detect(character.encode("cp950") + late)
        assert (found.encoding, found.errors) == ("cp950", 3), character


def test_the_escapes_of_several_sets_name_the_codec_that_has_them_all() -> None:
    """Whichever comes first."""
    for name, text in (
        ("iso2022_jp", "日本"),
        ("iso2022_jp_1", "日本 丂"),
        ("iso2022_jp_2", "丂 日本 한국"),
        ("iso2022_jp_2", "한국 丂"),
        ("iso2022_jp_3", "𠂉 か゚"),
        ("iso2022_jp_2004", "𠂉 俱楽部"),
        ("iso2022_jp_2004", "俱楽部 𠂉"),
        ("iso2022_jp_ext", "丂 ｱ"),
        ("iso2022_kr", "한국"),
    ):
        data = text.encode(name)
        found = detect(data).encoding
        assert found == name and data.decode(found) == text, (name, text)
