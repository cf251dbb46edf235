# ruff: noqa: RUF001
"""A file's text comes with what its bytes were and what was done about the damage."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from codex.errors import DataError, MachineError, MissingDataError, UsageError
from codex.text import (
    Place,
    detect,
    detect_file,
    from_bytes,
    from_fp,
    from_path,
    open_text,
    read_text,
    to_text,
)

FRENCH = "Déjà vu : où êtes-vous allés cet été ?\n"


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850"):
        path = tmp_path / encoding
        path.write_bytes((FRENCH * 3).replace("\n", "\r\n").encode(encoding))
        text, used = read_text(path)
        assert text == FRENCH * 3, encoding
        whole = read_text(path, newline=None)
        assert whole.text == (FRENCH * 3).replace("\n", "\r\n")
        assert (whole.newlines.crlf, whole.newlines.lf, whole.errors) == (3, 0, 0)
        assert whole.bom == (encoding in ("utf-8-sig", "utf-16"))
        assert path.read_bytes().decode(used) == whole.text


def test_a_compressed_file_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "french.txt.gz"
    path.write_bytes(gzip.compress(FRENCH.encode("cp1252")))
    assert read_text(path).text == FRENCH
    best = from_path(path).best()
    assert best is not None
    assert str(best) == FRENCH


def test_strict_names_the_file_and_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(FRENCH.encode() * 3 + b"caf\xe9\n")
    with pytest.raises(DataError, match=f"`{path}`: not utf-8: byte 0xe9 at {len(FRENCH.encode()) * 3 + 3}"):
        read_text(path)


def test_replace_counts_what_it_replaces() -> None:
    text = to_text(FRENCH.encode() + b"\xff\xfe\n", errors="replace")
    offset = len(FRENCH.encode())
    assert text.text == FRENCH + "\ufffd\ufffd\n"
    assert text.places == (Place(offset, 1, None), Place(offset + 1, 1, None))


@pytest.mark.parametrize(
    ("lines", "wanted", "errors"),
    [
        ([FRENCH.encode(), FRENCH.encode("cp1252"), FRENCH.encode()], FRENCH * 3, 7),
        ([FRENCH.encode(), "“curly” quotes\n".encode("cp1252")], FRENCH + "“curly” quotes\n", 2),
        ([FRENCH.encode()[:-1] + b" na\xefve\n"], FRENCH[:-1] + " naïve\n", 1),
        ([("Привет, мир! " * 9 + "\n").encode(), "Как у вас дела сегодня\n".encode("cp1251")],
         "Привет, мир! " * 9 + "\n" + "Как у вас дела сегодня\n", 18),
        ([FRENCH.encode(), "cut 漢".encode()[:-1]], FRENCH + "cut æ¼", 1),
    ],
)  # fmt: skip
def test_repair_reads_a_bad_line_as_what_it_is(lines: list[bytes], wanted: str, errors: int) -> None:
    text = to_text(b"".join(lines), "utf-8", errors="repair")
    assert (text.text, text.errors) == (wanted, errors)
    assert all(place.encoding for place in text.places)
    assert all(b"".join(lines)[place.offset] >= 0x80 for place in text.places)


RUSSIAN = "Вчера вечером мы ходили в кино, а потом вернулись домой.\n"
JAPANESE = "昨日の夜、私たちは映画館で新しい映画を見ました。\n"
GREEK = "Χθες το βράδυ πήγαμε στον κινηματογράφο και γυρίσαμε σπίτι.\n"


@pytest.mark.parametrize(
    ("encoding", "line", "other", "written"),
    [
        ("cp1251", RUSSIAN, RUSSIAN, "utf-8"),
        ("koi8-r", RUSSIAN, RUSSIAN, "utf-8"),
        ("cp1252", FRENCH, "où\n", "utf-8"),
        ("iso8859-7", GREEK, GREEK, "utf-8"),
        ("cp932", JAPANESE, JAPANESE, "utf-8"),
        ("cp949", "어제 저녁에 우리는 영화관에 가서 새 영화를 보았습니다.\n", "그리고 집에\n", "utf-8"),
        ("cp1253", GREEK, RUSSIAN * 2, "koi8-r"),
    ],
)
def test_repair_reads_a_line_of_another_encoding_in_any_file(
    encoding: str, line: str, other: str, written: str, tmp_path: Path
) -> None:
    data = (line * 30).encode(encoding) + other.encode(written) + (line * 30).encode(encoding)
    text = to_text(data, encoding, errors="repair")
    assert text.text == line * 30 + other + line * 30
    assert {place.encoding for place in text.places} == {written}
    (tmp_path / "a").write_bytes(data)
    stream = open_text(tmp_path / "a", encoding, errors="repair")
    assert ("".join(stream), stream.errors) == (text.text, text.errors)


def test_a_line_of_utf_8_does_not_hide_what_the_others_are() -> None:
    for encoding, line, other in (
        ("cp1251", RUSSIAN, RUSSIAN),
        ("koi8-r", RUSSIAN, RUSSIAN),
        ("cp932", JAPANESE, JAPANESE),
        ("cp1252", FRENCH, "où\n"),
        ("cp1250", "Král řekl, že půjde domů spát.\n", "řekl král\n"),
    ):
        text = to_text((line * 30).encode(encoding) + other.encode(), errors="repair")
        assert (text.text, text.used_encoding) == (line * 30 + other, encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_half_a_surrogate_pair_is_one_error(encoding: str) -> None:
    for at in (100, 2500):
        whole = "Wide characters without a mark: grüße aus Köln.\n" * 60
        text = f"{whole[:at]}\ud800{whole[at:]}"
        data = text.encode(encoding, "surrogatepass")
        found = detect(data)
        mark = 2 if encoding == "utf-16" else 0
        assert (found.encoding, found.errors, found.places) == (encoding, 1, (2 * at + mark,))
        with pytest.raises(DataError, match=f"not {encoding}: byte"):
            to_text(data)
        assert to_text(data, errors="repair").text == text.replace("\ud800", "\ufffd")


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("cp874", "รถแดง\n"),  # its bytes are UTF-8, of characters that Thai has not
        ("cp866", "сад рад\n"),
        ("cp1252", "São é déjà\n"),
        ("koi8-r", RUSSIAN),
    ],
)
def test_repair_leaves_a_line_that_only_looks_like_utf_8(encoding: str, line: str) -> None:
    text = to_text((line * 9).encode(encoding), encoding, errors="repair")
    assert (text.text, text.errors) == (line * 9, 0)


def test_repair_replaces_what_it_is_not_sure_of() -> None:
    text = to_text(b"one \x81 two\n\xe9t\xe9\n", "cp1252", errors="repair")
    assert (text.text, text.places) == ("one \ufffd two\nété\n", (Place(4, 1, None),))


def test_repair_changes_nothing_that_is_whole() -> None:
    data = FRENCH.encode() * 100
    assert to_text(data, errors="repair").text == to_text(data).text == FRENCH * 100


def test_nul_is_refused_dropped_or_kept() -> None:
    data = b"one\0two\n" * 30
    with pytest.raises(DataError, match="30 NUL characters, the first at 3"):
        to_text(data, "ascii")
    assert to_text(data, "ascii", nul="drop").text == "onetwo\n" * 30
    assert to_text(data, "ascii", nul="keep").text == "one\0two\n" * 30


def test_newlines_and_forms_are_what_was_asked_for() -> None:
    data = "e\u0301\r\nﬁ\rb\n".encode()
    assert to_text(data, newline="\n").text == "e\u0301\nﬁ\nb\n"
    assert to_text(data, newline="\r\n").text == "e\u0301\r\nﬁ\r\nb\r\n"
    assert to_text(data, normalize="NFC").text == "é\nﬁ\nb\n"
    assert to_text(data, normalize="NFKC").text == "é\nfi\nb\n"


def test_what_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF\2\1\1" + bytes(100))
    with pytest.raises(DataError, match=f"`{path}`: not text: binary"):
        read_text(path)
    with pytest.raises(MissingDataError, match="missing"):
        read_text(tmp_path / "missing")
    with pytest.raises((DataError, MachineError), match=tmp_path.name):
        read_text(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises((DataError, MachineError), match="fifo"):
        read_text(tmp_path / "fifo")
    for encoding in ("klingon", "rot13", "hex", ""):
        with pytest.raises(UsageError, match=f"`{encoding}` is no encoding of text"):
            read_text(path, encoding)
    with pytest.raises(UsageError, match="`errors` is `ignore`"):
        to_text(b"a", errors="ignore")  # type: ignore[arg-type]


def test_a_file_that_may_not_be_read_is_refused_by_name() -> None:
    with tempfile.TemporaryDirectory() as folder:  # one that somebody else may look into
        Path(folder).chmod(0o755)
        path = Path(folder) / "secret.txt"
        path.write_bytes(b"text")
        path.chmod(0)
        with _as_somebody_else():
            for read in (read_text, open_text, detect_file, from_path):
                with pytest.raises(DataError, match=r"secret\.txt`: permission denied"):
                    read(path)


@contextlib.contextmanager
def _as_somebody_else() -> Iterator[None]:
    """Root may read everything, so it is nobody for a while."""
    before = os.geteuid()
    os.seteuid(65534 if before == 0 else before)
    try:
        yield
    finally:
        os.seteuid(before)


def test_peers_arguments_choose_among_encodings(tmp_path: Path) -> None:
    path = tmp_path / "naive.txt"
    path.write_bytes(b"na\xefve")
    for matches in (
        from_path(path, include=["cp1250", "cp1252"]),
        from_bytes(b"na\xefve", include=["cp1250", "cp1252"]),
        from_fp(io.BytesIO(b"na\xefve"), include=["cp1250", "cp1252"]),
    ):
        assert {match.encoding for match in matches} <= {"cp1250", "cp1252"}
        assert str(matches.best()) == "naïve"
    best = from_bytes(b"na\xefve", exclude=["cp1252"]).best()
    assert best is not None
    assert best.encoding != "cp1252"
    with pytest.raises(UsageError, match="leave no encoding"):
        from_bytes(b"a", include=["cp1252"], exclude=["cp1252"])
