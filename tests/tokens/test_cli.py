"""`codex tokenizer`: what it prints, and how it fails."""

from __future__ import annotations

import base64
import json
import os
import pty
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


@pytest.mark.parametrize(
    ("to", "code", "said"),
    [
        ("none/tokenizer.json", 3, "no such folder as `none`"),
        (".", 2, "`--out` is the folder `.`, expected a file"),
    ],
)
def test_a_place_that_is_none_is_refused_before_anything_is_read(
    here: Any, to: str, code: int, said: str
) -> None:
    ran = here("tokenizer", "train", "no text here", "--out", to)
    assert ran.returncode == code
    assert said in ran.stderr


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
    done = codex("tokenizer", "inspect", "--file", "text.txt")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    tokenizer = Tokenizer.from_file(home / "tokenizer.json")
    assert f"fingerprint      {tokenizer.fingerprint}" in lines
    assert f"vocabulary size  {tokenizer.vocab_size}" in lines
    assert "special tokens   <|endoftext|> = 0" in lines
    facts = json.loads(codex("tokenizer", "inspect", "--file", "text.txt", "--json").stdout)
    assert facts["merges"] == tokenizer.vocab_size - 257
    # The text is measured as `train` would read it: newlines are `\n`.
    assert facts["tokens"] == len(tokenizer.encode(TEXT.replace("\r\n", "\n")))
    assert facts["bytes_per_token"] == round(len(TEXT.encode()) / facts["tokens"], 3)
    assert len(facts["longest_tokens"]) == 10
    assert facts["longest_tokens"][0] == " naïvely"


def test_inspect_shows_how_a_text_is_cut(codex: Any, home: Path) -> None:
    tokenizer = Tokenizer.from_file(home / "tokenizer.json")
    text = "the ca\té <|endoftext|>"
    lines = codex("tokenizer", "inspect", text).stdout.splitlines()
    assert lines[0] == r"the| |c|a|\t|\xc3|\xa9| |<|endoftext|>"
    assert lines[2].split() == ["id", "piece", "bytes", "offsets"]
    assert lines[3].split() == [str(tokenizer.encode("the")[0]), "the", "74", "68", "65", "0-3"]
    assert lines[-1] == f"{len(tokenizer.encode(text, 'ids'))} tokens, {len(text.encode())} bytes"
    facts = json.loads(codex("tokenizer", "inspect", text, "--json").stdout)
    assert [row["id"] for row in facts["pieces"]] == tokenizer.encode(text, "ids")
    assert b"".join(bytes.fromhex(row["bytes"]) for row in facts["pieces"]) == text.encode()


@pytest.mark.parametrize(("switch", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_pieces_are_coloured_on_a_terminal_unless_that_is_not_wanted(
    home: Path, switch: dict[str, str], is_coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm", **switch}
    command = [sys.executable, "-m", "codex", "tokenizer", "inspect", "the cat\x1b[2J"]
    ran = subprocess.run(command, cwd=home, stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert ran.returncode == 0
    assert ("\x1b[1;36m" in shown and "\x1b[1;33m" in shown) == is_coloured
    assert "\x1b[2J" not in shown, "what a text holds does not steer the terminal"


def test_export_writes_what_both_libraries_open(codex: Any, home: Path) -> None:
    tiktoken = pytest.importorskip("tiktoken")
    transformers = pytest.importorskip("transformers")
    ids = Tokenizer.from_file(home / "tokenizer.json").encode(TEXT)
    facts = json.loads(codex("tokenizer", "export", "hf", "--json").stdout)
    assert facts["files"] == ["tokenizer.json", "tokenizer_config.json"]
    theirs = transformers.AutoTokenizer.from_pretrained(home / "hf", local_files_only=True)
    assert theirs(TEXT)["input_ids"] == ids
    done = codex("tokenizer", "export", "tk", "--to", "tiktoken", "--tokenizer", "hf")
    assert done.stdout.split() == ["tk/ranks.tiktoken", "tk/tiktoken.json"]
    ranks = {
        base64.b64decode(token): int(rank)
        for token, rank in map(bytes.split, (home / "tk" / "ranks.tiktoken").read_bytes().splitlines())
    }
    parts = json.loads((home / "tk" / "tiktoken.json").read_text())
    assert tiktoken.Encoding("x", mergeable_ranks=ranks, **parts).encode_ordinary(TEXT) == ids


def test_compare_counts_on_the_same_text(codex: Any, home: Path) -> None:
    train_bpe([TEXT], 270).save(home / "small.json")
    facts = json.loads(
        codex("tokenizer", "compare", "tokenizer.json", "small.json", "text.txt", "--json").stdout
    )
    text = TEXT.replace("\r\n", "\n")
    for name, path in (("a", "tokenizer.json"), ("b", "small.json")):
        tokens = len(Tokenizer.from_file(home / path).encode(text))
        assert facts[name]["tokens"] == tokens
        assert facts[name]["fertility"] == round(tokens / len(text.split()), 3)
    assert facts["shared_tokens"] == 269  # all of the small one but its special token
    assert (facts["texts"], facts["texts_cut_differently"]) == (1, 1)
    (shown,) = facts["differences"]
    assert shown["a"] != shown["b"] and shown["a"].replace("|", "")[:8] == shown["b"].replace("|", "")[:8]
    same = codex("tokenizer", "compare", "small.json", "small.json", "text.txt")
    assert "0 of 1 texts are cut differently" in same.stdout


def test_verify_finds_what_differs_from_tokenizers(codex: Any, home: Path) -> None:
    done = codex("tokenizer", "verify", "text.txt")
    assert (done.returncode, done.stdout.count("0 differences to tokenizers; all of it comes back")) == (0, 1)
    # A plugin that is off by one stands for whatever could go wrong in ours.
    package = home / "site" / "off_by_one-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: off-by-one\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[codex.tokenizers]\noff = off_by_one:load\n")
    (home / "site" / "off_by_one.py").write_text(
        "from codex.tokens import Tokenizer\n"
        "class Off(Tokenizer):\n"
        "    def encode(self, text, specials='forbid', **rest):\n"
        "        return [*super().encode(text, specials, **rest), 1]\n"
        "load = Off.from_file\n"
    )
    path = f"{home / 'site'}:{os.environ.get('PYTHONPATH', '')}"
    done = codex("tokenizer", "verify", "text.txt", "--kind", "off", environment={"PYTHONPATH": path})
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("text.txt, from character 0: ids differ\n  ours   ")
    assert "1 differences to tokenizers" in done.stdout


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
            "DamageError: `text.txt`: `tokenizer.json` is not valid JSON",
        ),
        (
            ["encode", "text.txt", "--kind", "bep"],
            2,
            "RegistryError: unknown tokenizer kind `bep`, expected one of `bpe`",
        ),
        (
            ["encode", "text.txt", "--kind", "whitespace"],
            4,
            "DamageError: `tokenizer.json`: `model.vocab` is no row",
        ),
        (["encode", "text.txt", "--kind", "sentencepiece"], 4, "DamageError: `tokenizer.json`: "),
        (
            ["encode", "--tokenizer", "empty"],
            3,
            "MissingDataError: `empty` holds neither `tokenizer.json` nor",
        ),
        (["encode", "empty"], 3, "cannot read `empty`: is a directory"),
        (["inspect", "a", "--file", "text.txt"], 2, "UsageError: both TEXT and `--file` are given"),
        (["inspect", "--file", "binary"], 3, "DataError: `binary`: not text: NUL byte at 1"),
        (["export", "text.txt"], 2, "UsageError: `text.txt` is no folder"),
        (["export", "out", "--to", "onnx"], 2, "`onnx` is not one of `hf`, `tiktoken`"),
        (["compare", "tokenizer.json"], 2, "UsageError: missing argument `B`"),
        (["compare", "tokenizer.json", "none.json"], 3, "MissingDataError: cannot read `none.json`"),
        (["compare", "tokenizer.json", "tokenizer.json", "binary"], 3, "DataError: no text in `binary`"),
        (["verify", "none"], 3, "MissingDataError"),
        (["verify", "empty"], 3, "DataError: no text in `empty`"),
        (["verify", "text.txt", "--tokenizer", "binary"], 4, "DamageError: `binary`"),
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
        (["train", "blank.txt"], 3, "DataError: no text to learn from in `blank.txt`"),
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
    (home / "blank.txt").touch()
    (home / "far.txt").write_text("1 99999")
    (home / "empty").mkdir()
    (home / "binary").write_bytes(b"\xff\0" * 40)
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
