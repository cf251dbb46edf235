"""The text of a file of a corpus: in the encoding it declares, else, if asked, in the one its bytes are surely in.

What a mark, a cookie or UTF-8 decodes is never guessed. The rest is read only where the detector is sure and every byte decodes:
a wrong guess would be text nobody wrote.
"""

from __future__ import annotations

import re

from codex.errors import DataError, UsageError
from codex.text import Decoded, decode, detect, to_text
from codex.text.names import known

__all__ = ["decode_file"]

#: Confidence below which a file is skipped: the next best encoding is less than five nats behind.
_SURE = 0.9
_DECLARATION = re.compile(
    rb"""<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]*?charset\s*=\s*["']?([\w.:-]+)""", re.I
)
#: The rare tables that hold more than those the detector answers with.
_WIDER = {
    "cp932": ("shift_jis_2004",),
    "euc_jp": ("euc_jis_2004",),
    "cp950": ("big5hkscs",),
    None: ("big5hkscs",),
}


def decode_file(data: bytes, name: str, encoding: str) -> Decoded:
    """The text of `data`, the content of the file called `name`.

    Args:
        data: the whole file.
        name: its ending tells a Python source, which may declare an encoding.
        encoding: `declared` for nothing but that, UTF-8 failing a declaration; `auto` to find what that leaves.
    Raises:
        DataError: if it is no text, or it is not sure in which encoding; the message is a short reason.

    >>> decode_file("Съешь же ещё этих мягких французских булок\\n".encode("koi8-r"), "a.txt", "auto").encoding
    'koi8-r'
    >>> decode_file(b"caf\\xe9", "a.txt", "declared")
    Traceback (most recent call last):
    codex.errors.DataError: not utf-8: byte 0xe9 at 3
    """
    if encoding == "declared":
        return decode(data, name=name)
    if b"\x1b$" in data or b"~{" in data:
        found = detect(data)
        if found.encoding == "hz" or (found.encoding or "").startswith("iso2022"):
            try:
                return _exactly(data, found.encoding)
            except DataError:
                pass  # it only looks like it
    try:
        return decode(data, name=name)
    except DataError as refused:
        if "cookie" in refused.message:
            raise  # it says what it is, and is not
        hint = _declared_in_markup(data)
        found = detect(data, hint=hint)
        is_sure = found.confidence >= _SURE or found.encoding == hint
        if found.encoding and is_sure and not found.errors:
            return _exactly(data, _spelled_out(data, found.encoding))
        if wider := _wider(data, found.encoding):
            return _exactly(data, wider)
        if found.encoding is None:
            raise
        why = f"{found.errors} errors" if found.errors else f"{found.confidence:.0%} sure"
        raise DataError(f"{refused.message} ({why} as {found.encoding})") from None


def _declared_in_markup(data: bytes) -> str | None:
    """The encoding an XML declaration or an HTML page names: people forget to change it, so it is a hint."""
    declared = _DECLARATION.search(data[:1024])
    try:
        return known((declared[1] or declared[2]).decode()) if declared else None
    except UsageError:
        return None


def _wider(data: bytes, encoding: str | None) -> str | None:
    """The encoding that has more characters than the one found, or than all that fit, if every byte is one of them."""
    for wider in _WIDER.get(encoding, ()):
        try:
            if sum(character >= "\u3000" for character in data.decode(wider)) * 4 > len(data):
                return wider
        except UnicodeDecodeError:
            pass
    return None


def _spelled_out(data: bytes, encoding: str) -> str:
    """`euc_kr` where a syllable is spelled by its letters, which cp949 reads as letters."""
    if encoding == "cp949" and b"\xa4\xd4" in data:
        try:
            data.decode("euc_kr")
        except UnicodeDecodeError:
            return encoding
        return "euc_kr"
    return encoding


def _exactly(data: bytes, encoding: str | None) -> Decoded:
    text = to_text(data, encoding or "utf-8")
    try:
        text.text.encode()
    except UnicodeEncodeError:
        raise DataError(f"not {encoding}: half a surrogate pair") from None
    kinds = "+".join(kind for kind, count in text.newlines._asdict().items() if count)
    mark = encoding in ("utf-8-sig", "utf-16", "utf-32")
    return Decoded(text.text, text.used_encoding, mark, kinds, text.newlines)
