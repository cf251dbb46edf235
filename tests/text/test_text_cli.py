"""`codex text detect|convert` as a user meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

FRENCH = "Déjà vu : où êtes-vous allés cet été ?\n"


def test_detect_shows_a_row_for_each_file(codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(FRENCH.encode("cp1252"))
    (tmp_path / "b.txt").write_bytes(b"plain\r\n")
    (tmp_path / "c.bin").write_bytes(b"\x7fELF" + bytes(50))
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    answer = codex("text", "detect", *paths, environment={"COLUMNS": "300"})
    assert (answer.returncode, answer.stderr) == (0, "detect: 3 of 3\n")
    assert [line.split()[1:] for line in answer.stdout.splitlines()] == [
        ["encoding", "confidence", "language", "newlines", "errors"],
        ["cp1252", "1.0", "fr", "lf", "0"],
        ["ascii", "1.0", "-", "crlf", "0"],
        ["binary", "1.0", "-", "-", "0"],
    ]
    answer = codex("text", "detect", *paths, "--json")
    rows = json.loads(answer.stdout)["files"]
    assert [row["encoding"] for row in rows] == ["cp1252", "ascii", "binary"]
    assert rows[0]["alternatives"]


def test_detect_shows_the_others_when_one_is_missing(codex: Codex, tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text("plain\n")
    answer = codex("text", "detect", str(tmp_path / "missing"), str(good))
    assert answer.returncode == 3
    assert "missing" in answer.stderr
    assert "ascii" in answer.stdout


def test_convert_writes_utf_8_and_nothing_in_place(codex: Codex, tmp_path: Path) -> None:
    source, target = tmp_path / "old.txt", tmp_path / "new.txt"
    source.write_bytes(FRENCH.replace("\n", "\r\n").encode("cp1252"))
    answer = codex("text", "convert", str(source), str(target))
    assert answer.returncode == 0
    assert target.read_bytes() == FRENCH.encode()
    for words, code in (
        ((str(source), str(source)), 2),
        ((str(source), str(target)), 2),
        ((str(source), str(target), "--replace"), 0),
        ((str(source), str(tmp_path / "more.txt"), "--from", "klingon"), 2),
    ):
        assert codex("text", "convert", *words).returncode == code, words
    assert not (tmp_path / "more.txt").exists()


def test_convert_repairs_only_when_asked(codex: Codex, tmp_path: Path) -> None:
    source, target = tmp_path / "bad.txt", tmp_path / "good.txt"
    source.write_bytes(FRENCH.encode() * 9 + FRENCH.encode("cp1252"))
    answer = codex("text", "convert", str(source), str(target))
    assert answer.returncode == 3
    assert not target.exists()
    answer = codex("text", "convert", str(source), str(target), "--repair", "--json")
    assert answer.returncode == 0
    assert target.read_bytes() == FRENCH.encode() * 10
    facts = json.loads(answer.stdout)
    assert (facts["errors"], facts["places"][0]["encoding"]) == (7, "cp1252")
