"""Bytes become exactly the text Python reads in them, or are refused with the byte."""

from __future__ import annotations

import io
import os
import re
import sysconfig
import threading
import tokenize
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from codex.errors import DataError
from codex.text import decode

FORMS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff",
         "utf-32-le": b"\xff\xfe\0\0", "utf-32-be": b"\0\0\xfe\xff"}  # fmt: skip
STDLIB = Path(sysconfig.get_paths()["stdlib"])


def universal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(st.text(), st.sampled_from(sorted(FORMS)))
@example("", "utf-16-le")
@example("\ufeff\r\r\n\n\x85\u2028", "utf-32-be")
def test_a_marked_text_comes_back(text: str, form: str) -> None:
    assume(
        not (form == "utf-16-le" and text.startswith("\0"))
    )  # its mark and that NUL are the mark of UTF-32
    data = FORMS[form] + text.encode(form)
    if "\0" in text:
        with pytest.raises(DataError, match=r"^not text: NUL (byte|character) at "):
            decode(data, name="a.txt")
        return
    decoded = decode(data, name="a.txt")
    assert (decoded.text, decoded.encoding, decoded.byte_order_mark) == (universal(text), form, True)


@given(st.binary(max_size=64), st.sampled_from(["", *sorted(FORMS)]))
def test_any_bytes_are_what_python_reads_or_refused(data: bytes, form: str) -> None:
    data = FORMS.get(form, b"") + data
    form = next((name for name in sorted(FORMS, reverse=True) if data.startswith(FORMS[name])), "utf-8")
    try:
        wanted: str | None = data.removeprefix(FORMS[form]).decode(form)
    except UnicodeDecodeError as error:
        wanted, at = None, error.start + (len(FORMS[form]) if data.startswith(FORMS[form]) else 0)
    try:
        found = decode(data, name="a.txt").text
    except DataError as error:
        if wanted is None and "NUL" not in str(error):
            assert str(error) == f"not {form}: byte {data[at]:#04x} at {at}"
        else:
            assert wanted is None or "\0" in wanted
    else:
        assert wanted is not None and found == universal(wanted)


@given(st.text(alphabet="a\r\n\u2028é"))
def test_newlines_are_counted_by_kind(text: str) -> None:
    decoded = decode(text.encode(), name="a.txt")
    crlf = text.count("\r\n")
    counts = {"lf": text.count("\n") - crlf, "crlf": crlf, "cr": text.count("\r") - crlf}
    assert decoded.newline_counts._asdict() == counts
    assert decoded.newlines == "+".join(kind for kind, count in counts.items() if count)
    assert decoded.text == universal(text) and decoded.errors == 0


def pythons(path: Path) -> str | None:
    """What Python reads in a file: `tokenize.open` for sources, strict UTF-8 for the rest; None where it refuses."""
    try:
        if path.suffix in (".py", ".pyw"):
            with tokenize.open(path) as file:
                return file.read()
        return universal(path.read_bytes().decode("utf-8-sig"))
    except (SyntaxError, UnicodeError, LookupError):
        return None


def test_the_whole_standard_library_is_read_as_python_reads_it() -> None:
    read: Counter[str] = Counter()
    skipped: dict[str, str] = {}
    for path in sorted(STDLIB.rglob("*")):
        if not path.is_file() or {"site-packages", "__pycache__"} & set(path.parts):
            continue
        name, wanted = path.relative_to(STDLIB).as_posix(), pythons(path)
        try:
            decoded = decode(path.read_bytes(), name=name)
        except DataError as error:
            skipped[name] = str(error)
            # Python reads on over NUL bytes; that is the one text of its we do not take.
            assert wanted is None or (str(error).startswith("not text: NUL") and "\0" in wanted), name
            continue
        read[decoded.encoding] += 1
        if wanted is None:
            assert decoded.encoding.startswith("utf-16") and decoded.byte_order_mark, name
            wanted = universal(path.read_bytes().decode("utf-16"))
        assert decoded.text == wanted, name
    assert read["utf-8"] > 500 and len(read) > 1, read
    # Of the sources only those are skipped that CPython's own tests keep because Python refuses them.
    assert [name for name in skipped if name.endswith((".py", ".pyw")) and "/bad" not in name] == []
    reason = re.compile(
        r"not (text: NUL (byte|character)|[a-z0-9-]+: byte 0x[0-9a-f]{2}) at \d+|.*encoding cookie `.*"
    )
    assert [reason_given for reason_given in skipped.values() if not reason.fullmatch(reason_given)] == []


def test_a_name_need_not_be_unicode() -> None:
    assert decode(b"# coding: koi8-r\n\xc4", name=os.fsdecode(b"\xff.py")).text == "# coding: koi8-r\nд"


def test_a_pickle_is_no_text() -> None:
    with pytest.raises(DataError, match=r"^not utf-8: byte 0x80 at 0$"):
        decode(b"\x80\x02N.", name="a.pkl")


def test_threads_decode_side_by_side() -> None:
    """The interpreter is released, so a thread may decode while others do; every answer is its own."""
    texts = [f"{number} é\r\n" * 20_000 for number in range(8)]
    found: dict[int, str] = {}

    def work(number: int) -> None:
        found[number] = decode(texts[number].encode(), name="a.txt").text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(8)] == [
        io.StringIO(text, newline=None).read() for text in texts
    ]
