"""`codex text detect|convert` as a user meets them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

#: Root reads any file, unless it gives that up.
POWERS = "-dac_override,-dac_read_search"
NO_ROOT = ["setpriv", "--bounding-set", POWERS] if os.geteuid() == 0 else []

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


@pytest.mark.skipif(bool(NO_ROOT) and not shutil.which("setpriv"), reason="root reads any file")
@pytest.mark.parametrize("command", ["detect", "convert"])
def test_a_file_that_may_not_be_read_is_named(command: str, tmp_path: Path) -> None:
    path, target = tmp_path / "secret.txt", tmp_path / "out.txt"
    path.touch(0o000)
    words = [str(path), str(target)] if command == "convert" else [str(path)]
    answer = subprocess.run(
        [*NO_ROOT, sys.executable, "-m", "codex", "text", command, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 3, answer.stderr
    assert f"`{path}`" in answer.stderr and "ermission denied" in answer.stderr
    assert not target.exists()
