"""Text to train on, out of the packages named in `README.md`: `python collect.py UNPACKED WORDFREQ.whl OUT`.

`UNPACKED` holds a folder per Debian package (`dpkg -x`). For every language, `OUT/<language>.ndjson` gets one JSON row per
document, `{"id", "held_out", "lines"}`, and `OUT/<language>.words` one `weight word` per line. One document in eight is held
out, by its name: nothing is ever trained on it. Lines that equal a line of the English original were never translated and are
left out.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["documents", "words"]

# The language of a folder as each project spells it.
SPELLINGS = {
    "C": "en", "en-US": "en", "en_US": "en", "pt_BR": "pt", "pt-BR": "pt", "zh_CN": "zh-cn", "zh-CN": "zh-cn",
    "zh_TW": "zh-tw", "zh-TW": "zh-tw", "nb-NO": "nb", "no": "nb", "sh": "hr", "zh": "zh-cn",
}  # fmt: skip
LANGUAGES = [
    "en", "fr", "de", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "is", "ca", "gl", "eu", "et", "lv", "lt", "pl", "cs",
    "sk", "hu", "ro", "sl", "hr", "sq", "tr", "vi", "id", "ru", "uk", "be", "bg", "sr", "mk", "el", "he", "ar", "fa", "ur",
    "th", "ja", "zh-cn", "zh-tw", "ko",
]  # fmt: skip
PLACES = (
    ("usr/share/help/*", "**/*.page"),
    ("usr/share/doc/HTML/*", "**/*.docbook"),
    ("usr/share/libreoffice/help/*", "text/**/*.html"),
    ("usr/share/doc/debian-handbook/html/*", "*.html"),
)
WORD_LISTS = {
    "be": "be_BY",
    "sq": "sq_AL",
    "th": "th_TH",
    "et": "et_EE",
    "eu": "eu",
    "gl": "gl_ES",
    "sr": "sr_RS",
}
BREAKS = re.compile(
    r"</?(?:p|para|title|h\d|li|td|th|div|br|item|desc|tr|dt|dd|pre|screen|term|simpara|entry)\b[^>]*>", re.I
)
HIDDEN = re.compile(
    r"<(script|style|head|info|mal:credit|programlisting)\b.*?</\1>|<!--.*?-->|<\?.*?\?>|<!DOCTYPE.*?\]>",
    re.S,
)
TAGS = re.compile(r"<[^>]*>")
#: What a source breaks its lines with; a space that does not break is a sign of the text.
WHITE = re.compile(r"[ \t\n\r\f]+")


def language(folder: str) -> str:
    """`de` of `de`, `de-DE` and `de_DE`."""
    known = SPELLINGS.get(folder) or folder
    return known if known in LANGUAGES else re.sub(r"[-_][A-Z]{2}$", "", known)


def paragraphs(markup: str) -> list[str]:
    """The paragraphs of a page, any white space but NBSP made one space; the lines of the source break anywhere."""
    text = BREAKS.sub("\n", HIDDEN.sub(" ", markup).replace("\n", " "))
    lines = (WHITE.sub(" ", html.unescape(TAGS.sub("", line))).strip(" ") for line in text.split("\n"))
    return [line for line in lines if len(line) >= 3]


def documents(unpacked: Path) -> Iterator[tuple[str, str, list[str]]]:
    """(language, name, paragraphs) of every page, in the order of the names."""
    for package in sorted(unpacked.iterdir()):
        for folders, pages in PLACES:
            for folder in sorted(package.glob(folders)):
                code = language(folder.name)
                if code in LANGUAGES:
                    for page in sorted(folder.glob(pages)):
                        name = f"{package.name.removesuffix(folder.name.lower())}/{page.relative_to(folder)}"
                        yield code, name, paragraphs(page.read_text("utf-8", "replace"))


def unpack_message(data: bytes, at: int = 0) -> tuple[object, int]:
    """One value of MessagePack, as far as word lists use it, and where the next begins."""
    kind, at = data[at], at + 1
    if kind < 0x80:
        return kind, at
    if kind < 0x90 or kind in (0xDE,):
        count, at = (kind & 15, at) if kind < 0x90 else (int.from_bytes(data[at : at + 2]), at + 2)
        values = []
        for _ in range(2 * count):
            value, at = unpack_message(data, at)
            values.append(value)
        return dict(zip(values[::2], values[1::2], strict=True)), at
    if kind < 0xA0 or kind in (0xDC, 0xDD):
        size = {0xDC: 2, 0xDD: 4}.get(kind, 0)
        count, at = (int.from_bytes(data[at : at + size]) if size else kind & 15), at + size
        values = []
        for _ in range(count):
            value, at = unpack_message(data, at)
            values.append(value)
        return values, at
    size = {0xD9: 1, 0xDA: 2}.get(kind, 0)
    if kind >= 0xC0 and not size:
        raise ValueError(f"MessagePack kind {kind:#x} is not one of a word list")
    count, at = (int.from_bytes(data[at : at + size]) if size else kind & 31), at + size
    return data[at : at + count].decode(), at + count


def words(wheel: Path, unpacked: Path, code: str) -> Iterator[tuple[float, str]]:
    """(share of running text, word): from wordfreq, else from a spelling dictionary, each word alike."""
    spelled = {"zh-cn": "zh", "zh-tw": "-", "hr": "sh", "sr": "-"}.get(code, code)
    with zipfile.ZipFile(wheel) as archive:
        names = [f"wordfreq/data/{size}_{spelled}.msgpack.gz" for size in ("large", "small")]
        found = [name for name in names if name in archive.namelist()]
        if found:
            listed, _ = unpack_message(gzip.decompress(archive.read(found[0])))
            assert isinstance(listed, list)
            for centibels, bucket in enumerate(listed[1:]):
                yield from ((10 ** (-centibels / 100), word) for word in sorted(bucket))
    if not found and code in WORD_LISTS:
        for path in sorted(unpacked.glob(f"*/usr/share/*spell/{WORD_LISTS[code]}.dic")):
            described = path.with_suffix(".aff").read_text("latin-1")
            encoding = re.search(r"^SET\s+(\S+)", described, re.M)
            listed_words = path.read_text(encoding[1] if encoding else "latin-1", "replace").splitlines()[1:]
            for word in listed_words:
                yield 1 / len(listed_words), word.partition("/")[0].partition("\t")[0]


def main(unpacked: Path, wheel: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    pages: dict[str, list[tuple[str, list[str]]]] = {}
    for code, name, lines in documents(unpacked):
        pages.setdefault(code, []).append((name, lines))
    english = {line for _, lines in pages.get("en", []) for line in lines}
    for code in LANGUAGES:
        seen: set[str] = set() if code == "en" else set(english)
        with (out / f"{code}.ndjson").open("w", encoding="utf-8") as file:
            for name, lines in pages.get(code, []):
                fresh = [line for line in dict.fromkeys(lines) if line not in seen]
                seen.update(fresh)
                if fresh:
                    held_out = hashlib.sha256(name.encode()).digest()[0] % 8 == 0
                    row = {"id": name, "held_out": held_out, "lines": fresh}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
        with (out / f"{code}.words").open("w", encoding="utf-8") as file:
            file.writelines(f"{weight:.3e} {word}\n" for weight, word in words(wheel, unpacked, code))
        sys.stderr.write(
            f"{code} {(out / f'{code}.ndjson').stat().st_size} {(out / f'{code}.words').stat().st_size}\n"
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
