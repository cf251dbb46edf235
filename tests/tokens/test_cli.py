"""`codex tokenizer`: what it prints, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codex.cli.app import run
from codex.records import Record, Source, encode_records
from codex.tokens import Tokenizer, train_bpe

TEXT = "the cat sat on the mat\r\nand the dog sat on the log, naïvely\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a small tokenizer.json and the text it learnt from."""
    (tmp_path / "text.txt").write_bytes(TEXT.encode())
    train_bpe([TEXT], 290).save(tmp_path / "tokenizer.json")
    return tmp_path


def test_train_writes_what_the_library_trains(codex: Any, tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("one two three")
    (folder / "deep" / "b.py").write_bytes(b"# coding: latin-1\nx = '\xe9'\n")
    (folder / "c.bin").write_bytes(b"\x00\xff\x00\xff")
    record = Record.of("three four", Source("x"))
    (folder / "d.ndjson").write_bytes(encode_records([record]))
    done = codex("tokenizer", "train", str(folder), "--vocabulary-size", "270", "--out", "t.json", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    expected = train_bpe(["one two three", "# coding: latin-1\nx = 'é'\n", "three four"], 270)
    assert (
        Tokenizer.from_file(tmp_path / "t.json").fingerprint == expected.fingerprint == facts["fingerprint"]
    )
    assert (facts["kind"], facts["texts"], facts["vocabulary_size"]) == ("tokenizer.train", 3, 270)
    assert [each["path"] for each in facts["skipped"]] == ["c.bin"]
    assert "skipped c.bin: not text: NUL byte" in done.stderr


def test_train_says_when_there_is_no_more_to_learn(codex: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("aa aa")
    done = codex("tokenizer", "train", "a.txt", "--vocabulary-size", "4096")
    assert done.returncode == 0
    assert "warning: 259 tokens instead of 4096" in done.stderr
    assert done.stdout.startswith("tokenizer.json: 259 tokens from 1 texts, sha256:")


def test_encode_and_decode_give_the_file_back_byte_for_byte(home: Path) -> None:
    def pipe(*words: str, stdin: bytes) -> bytes:
        command = [sys.executable, "-m", "codex", "tokenizer", *words]
        return subprocess.run(command, cwd=home, input=stdin, capture_output=True, check=True).stdout

    data = b"\xef\xbb\xbf" + TEXT.encode() + b"\0 tail \n\n"
    ids = pipe("encode", "-", stdin=data)
    expected = Tokenizer.from_file(home / "tokenizer.json").encode(data.decode())
    assert ids.split() == [b"%d" % number for number in expected]
    assert pipe("decode", "-", stdin=ids) == data
    assert pipe("encode", stdin=b"") == b"\n"
    assert pipe("decode", stdin=b"\n") == b""


def test_json_says_the_same(codex: Any, home: Path) -> None:
    ids = Tokenizer.from_file(home / "tokenizer.json").encode(TEXT)
    encoded = json.loads(codex("tokenizer", "encode", "text.txt", "--json").stdout)
    assert encoded["ids"] == ids
    assert encoded["bytes"] == len(TEXT.encode())
    decoded = json.loads(codex("tokenizer", "decode", "--json", stdin=" ".join(map(str, ids))).stdout)
    assert decoded["text"] == TEXT
    assert decoded["tokenizer"] == encoded["tokenizer"]


def test_specials_are_chosen_by_an_option(codex: Any, home: Path) -> None:
    def encode(*words: str) -> Any:
        return codex("tokenizer", "encode", *words, stdin="<|endoftext|>")

    assert encode("--specials", "ids").stdout == "0\n"
    assert len(encode("--specials", "text").stdout.split()) > 1
    refused = encode()
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "DataError: special token `<|endoftext|>` in the text at byte 0" in refused.stderr


def test_inspect_shows_what_it_holds(codex: Any, home: Path) -> None:
    done = codex("tokenizer", "inspect", "text.txt")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    tokenizer = Tokenizer.from_file(home / "tokenizer.json")
    assert f"fingerprint      {tokenizer.fingerprint}" in lines
    assert f"vocabulary size  {tokenizer.vocab_size}" in lines
    assert "special tokens   <|endoftext|> = 0" in lines
    facts = json.loads(codex("tokenizer", "inspect", "text.txt", "--json").stdout)
    assert facts["merges"] == tokenizer.vocab_size - 257
    # The text is measured as `train` would read it: newlines are `\n`.
    assert facts["tokens"] == len(tokenizer.encode(TEXT.replace("\r\n", "\n")))
    assert facts["bytes_per_token"] == round(len(TEXT.encode()) / facts["tokens"], 3)
    assert len(facts["longest_tokens"]) == 10
    assert facts["longest_tokens"][0] == " naïvely"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["encode", "--tokenizer", "none.json"], 3, "MissingDataError: cannot read `none.json`"),
        (["encode", "none.txt"], 3, "MissingDataError: cannot read `none.txt`"),
        (["encode", "latin.txt"], 3, "DataError: `latin.txt` is not UTF-8: byte 0xe9 at 3"),
        (["decode", "text.txt"], 3, "DataError: `the` at place 0 of `text.txt` is not an id"),
        (["decode", "far.txt"], 3, "DataError: unknown id `99999` at place 1, expected below"),
        (
            ["encode", "--tokenizer", "text.txt"],
            4,
            "DamageError: `text.txt`: `tokenizer.json` not valid JSON",
        ),
        (["inspect", "--tokenizer", "bent.json"], 4, "DamageError: `bent.json`: `model.merges[0]` needs"),
        (["encode", "--specials", "all"], 2, "UsageError"),
        (["train"], 2, "UsageError"),
        (
            ["train", "text.txt", "--vocabulary-size", "100"],
            2,
            "UsageError: `vocabulary_size` is 100, expected at least 257",
        ),
        (["train", "none"], 3, "MissingDataError"),
        (["train", "bad.ndjson"], 3, "bad.ndjson"),
        (["train", "empty"], 3, "DataError: no text to learn from in `empty`"),
    ],
)
def test_failures_say_what_and_leave_with_their_code(
    home: Path,
    words: list[str],
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (home / "latin.txt").write_bytes(b"caf\xe9")
    (home / "far.txt").write_text("1 99999")
    (home / "empty").mkdir()
    (home / "bad.ndjson").write_text("{}\n")
    document = json.loads((home / "tokenizer.json").read_text())
    document["model"]["merges"][0] = ["q", "qqq"]
    (home / "bent.json").write_text(json.dumps(document))
    before = (home / "tokenizer.json").read_bytes()
    monkeypatch.chdir(home)
    assert run(["tokenizer", *words]) == code
    stdout, stderr = capfd.readouterr()
    assert stdout == ""
    assert message in stderr
    assert "Traceback" not in stderr
    assert (home / "tokenizer.json").read_bytes() == before
