"""Files of NDJSON to shards: the same bytes whatever the threads and however often it was killed, in bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from codex.data.load import SplitTokens
from codex.errors import (
    CodexError,
    DamageError,
    DataError,
    DiskFullError,
    LockError,
    MissingDataError,
    UsageError,
)
from codex.file import FailPoints, digest_file, read_manifest, verify_folder
from codex.records import Record, Source, record_id, write_records
from codex.tokens import Tokenizer, encode_ndjson, open_shard, train_bpe, write_shards

#: Everything JSON escapes, and what it does not.
ODD = '"quoted" \\ / \b\f\n\r\t \x00\x1f\x7f é漢字\u2028😀 <|endoftext|> e\u0301'
SHARD_TOKENS = 20_000


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe([ODD, "the cat sat on the mat and the cat sat"], 400)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """1.5 MB, so that there is more than one block: none, short, long and odd."""
    return [f"{number} the cat {ODD if number % 3 else ''} " * (number % 37) for number in range(1500)]


@pytest.fixture(scope="module")
def source(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "texts.ndjson"
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            line: dict[str, Any] = {"url": None, "text": text, "n": [1.5, {"text": "no"}]}
            if number % 2:
                line["id"] = record_id(text)
            file.write(json.dumps(line, ensure_ascii=number % 5 == 0) + "\n")
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(source: Path, tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole") / "shards"
    encode_ndjson(source, folder, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS, threads=1)
    return files(folder)


def test_a_folder_holds_what_records_from_memory_would_and_says_what_it_was_made_from(
    source: Path, texts: list[str], tokenizer: Tokenizer, whole: dict[str, bytes], tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    target = tmp_path / "shards"
    manifest = encode_ndjson(
        source, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS, progress=lambda *at: told.append(at)
    )
    assert files(target) == whole
    assert verify_folder(target) == read_manifest(target, kind="shards", schema_version=1) == manifest

    (tmp_path / "slow").mkdir()
    documents = [Record.of(text, Source("a.txt")) for text in texts]
    written = write_shards(
        SimpleNamespace(path=tmp_path / "slow"), "train", documents, tokenizer, shard_tokens=SHARD_TOKENS
    )
    assert len(written.names) > 10
    assert files(tmp_path / "slow") == {name: whole[name] for name in whole if name != "manifest.json"}
    assert manifest["counts"] == {
        "documents": len(texts),
        "ids_made": len(texts) // 2,
        "skipped_lines": 0,
        "text_bytes": sum(len(text.encode()) for text in texts),
        "tokens": written.tokens,
    }
    assert manifest["parents"] == [
        {
            "kind": "documents",
            "path": source.name,
            "bytes": source.stat().st_size,
            "digest": digest_file(source, "xxh3-128").digest,
        },
        {"kind": "tokenizer", "digest": tokenizer.fingerprint},
    ]
    assert all(0 <= done <= total == source.stat().st_size for done, total in told)


def test_the_training_loader_reads_the_folder(
    source: Path, texts: list[str], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    encode_ndjson(
        source, tmp_path / "shards", tokenizer=tokenizer, split="held_out", shard_tokens=SHARD_TOKENS
    )
    tokens = SplitTokens(tmp_path / "shards", "held_out")
    assert len(tokens) == len(texts) and tokens.tokenizer == tokenizer.fingerprint
    for number in range(0, len(texts), 97):
        assert tokenizer.decode(tokens[number]) == texts[number] + "<|endoftext|>"
        assert bytes(tokens.document_ids[number]).hex() == record_id(texts[number])


def test_our_own_records_and_compressed_files_are_read_one_after_another(
    source: Path, texts: list[str], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    records = [Record.of(text.replace("\r", "\n"), Source("a.txt"), {"k": 1}) for text in texts[:100]]
    write_records(tmp_path / "records.ndjson", records)
    (tmp_path / "packed").write_bytes(gzip.compress(source.read_bytes()))
    manifest = encode_ndjson(
        [tmp_path / "records.ndjson", tmp_path / "packed"], tmp_path / "shards", tokenizer=tokenizer
    )
    (name,) = [entry["path"] for entry in manifest["files"]]
    shard = open_shard(tmp_path / "shards" / name)
    ids = [bytes(row).hex() for row in shard.document_ids]
    assert ids == [record.id for record in records] + [record_id(text) for text in texts]


def test_a_vocabulary_above_two_bytes_and_another_end_of_document(tmp_path: Path) -> None:
    learned = train_bpe(["low lower"], 262, ["<s>", "</s>"])
    (tmp_path / "a.ndjson").write_text('{"content": "low"}\n')
    manifest = encode_ndjson(
        tmp_path / "a.ndjson",
        tmp_path / "shards",
        tokenizer=learned,
        text_key="content",
        end_of_document="</s>",
    )
    assert manifest["parameters"]["end_of_document_id"] == 1
    shard = open_shard(tmp_path / "shards" / "train-00000.safetensors")
    assert shard.tokens.tolist() == [*learned.encode("low"), 1]
    with pytest.raises(UsageError, match="no special token `<eos>`"):
        encode_ndjson(tmp_path / "a.ndjson", tmp_path / "b", tokenizer=learned, end_of_document="<eos>")


def test_a_bad_line_is_an_error_with_its_place_or_a_row_of_the_manifest(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    good = b'{"text": "one"}\n'
    lines = [
        good,
        b'{"text": "a\\ud800"}\n',
        b"\n",
        b'{"text": "\xff"}\n',
        good,
        b'{"txt": ""}\n',
        b'{"text": "to',
    ]
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(lines))
    with pytest.raises(DataError, match=r"a\.ndjson`, line 2, byte 27: lone surrogate"):
        encode_ndjson(path, tmp_path / "raise", tokenizer=tokenizer)
    manifest = encode_ndjson(path, tmp_path / "skip", tokenizer=tokenizer, bad_lines="skip")
    assert manifest["counts"]["documents"] == 2 and manifest["counts"]["skipped_lines"] == 4
    starts = np.cumsum([0, *map(len, lines)])
    assert [(row["path"], row["line"], row["byte"], row["bytes"]) for row in manifest["skipped"]] == [
        ("a.ndjson", number + 1, starts[number] + at, len(lines[number]))
        for number, at in [(1, 11), (3, 10), (5, 0), (6, 12)]
    ]
    assert "torn" in manifest["skipped"][3]["reason"]
    with pytest.raises(UsageError, match="`bad_lines` is `ignore`"):
        encode_ndjson(path, tmp_path / "x", tokenizer=tokenizer, bad_lines="ignore")  # type: ignore[arg-type]


def in_a_child(work: Callable[[], object]) -> int:
    """What became of a process that did `work`: minus the signal that killed it, or its exit code."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_killed_anywhere_it_is_gone_on_with_to_the_same_bytes(
    source: Path, tokenizer: Tokenizer, whole: dict[str, bytes], tmp_path: Path
) -> None:
    """Once for each of many places, and once with a kill after every few writes until it is finished."""

    def encode(target: Path, rules: str) -> None:
        with FailPoints(rules):
            encode_ndjson(source, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS, threads=2)

    reached = set()
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 11, 15, 22, 40, 61, 90, 133):
        target = tmp_path / str(number)
        if in_a_child(partial(encode, target, f"*=kill@{number}")) == 0:
            break
        reached.add(len(list(target.glob("train-*.safetensors"))))
        assert not (target / "manifest.json").exists()
        encode(target, "never=eio")
        assert files(target) == whole, f"killed before write {number}"
    assert {0, 1} < reached and max(reached) > 5, reached

    kills = 0
    while in_a_child(partial(encode, tmp_path / "often", f"*=kill@{31 + kills % 5}")) == -signal.SIGKILL:
        kills += 1
    assert kills > 2
    assert files(tmp_path / "often") == whole


@pytest.mark.parametrize("number", [4, 30])
def test_a_full_disk_is_an_error_and_the_next_call_goes_on(
    source: Path, tokenizer: Tokenizer, whole: dict[str, bytes], tmp_path: Path, number: int
) -> None:
    with FailPoints(f"file.write=enospc@{number}+"), pytest.raises(DiskFullError, match="no space left"):
        encode_ndjson(source, tmp_path / "shards", tokenizer=tokenizer, shard_tokens=SHARD_TOKENS)
    encode_ndjson(source, tmp_path / "shards", tokenizer=tokenizer, shard_tokens=SHARD_TOKENS)
    assert files(tmp_path / "shards") == whole


def test_a_signal_stops_it_and_the_next_call_goes_on(
    source: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    many = [source] * 40
    once = encode_ndjson(many, tmp_path / "whole", tokenizer=tokenizer, shard_tokens=SHARD_TOKENS * 20)

    def interrupt(done: int, total: int) -> None:
        assert 0 <= done <= total
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_ndjson(
            many, tmp_path / "shards", tokenizer=tokenizer, shard_tokens=SHARD_TOKENS * 20, progress=interrupt
        )
    again = encode_ndjson(many, tmp_path / "shards", tokenizer=tokenizer, shard_tokens=SHARD_TOKENS * 20)
    assert again == once


def test_two_processes_on_one_folder_are_refused_by_name(
    source: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    refused: list[CodexError] = []

    def again(done: int, total: int) -> None:
        with pytest.raises(LockError) as caught:
            encode_ndjson(source, tmp_path / "shards", tokenizer=tokenizer)
        refused.append(caught.value)

    encode_ndjson([source] * 40, tmp_path / "shards", tokenizer=tokenizer, progress=again)
    assert f"is held by process {os.getpid()} on" in str(refused[0])


def test_what_is_there_already_is_verified_and_nothing_else_is_touched(
    source: Path, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    target = tmp_path / "shards"
    own = tmp_path / "own.ndjson"
    own.write_bytes(source.read_bytes())
    made = encode_ndjson(own, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS)
    before = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    assert encode_ndjson(own, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS) == made
    assert {path: path.stat().st_mtime_ns for path in target.iterdir()} == before
    with pytest.raises(UsageError, match="holds shards of other files, another tokenizer or other options"):
        encode_ndjson(own, target, tokenizer=train_bpe(["x"], 257), shard_tokens=SHARD_TOKENS)
    own.write_bytes(source.read_bytes().replace(b"cat", b"dog", 1))
    with pytest.raises(DataError, match=r"own\.ndjson` has changed since its shards were made"):
        encode_ndjson(own, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS)
    own.write_bytes(source.read_bytes())
    shard = target / "train-00003.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(DamageError, match="train-00003"):
        encode_ndjson(own, target, tokenizer=tokenizer, shard_tokens=SHARD_TOKENS)
    with pytest.raises(UsageError, match=r"texts\.ndjson` is in the way"):
        encode_ndjson(source, source.parent, tokenizer=tokenizer)
    with pytest.raises(MissingDataError, match="nowhere"):
        encode_ndjson(tmp_path / "nowhere", tmp_path / "b", tokenizer=tokenizer)
    assert not (tmp_path / "b").exists()


def test_memory_does_not_grow_with_the_file(tokenizer: Tokenizer, tmp_path: Path) -> None:
    """80 MB of words that never come back, two threads: below 200 MB with Python, NumPy and full word tables."""
    tokenizer.save(tmp_path / "tokenizer.json")
    state = np.random.default_rng(7)
    with (tmp_path / "texts.ndjson").open("w") as file:
        for _ in range(20):
            letters = state.integers(97, 123, 4_000_000, dtype=np.uint8)
            letters[state.integers(0, letters.size, 600_000)] = 32
            text = letters.tobytes().decode()
            file.writelines(
                json.dumps({"text": text[at : at + 4000]}) + "\n" for at in range(0, len(text), 4000)
            )
    program = """
import sys
from pathlib import Path
from codex.tokens import Tokenizer, encode_ndjson
home = Path(sys.argv[1])
made = encode_ndjson(
    home / "texts.ndjson", home / "shards", tokenizer=Tokenizer.from_file(home / "tokenizer.json"), threads=2
)
assert made["counts"]["text_bytes"] == 80_000_000 and len(made["files"]) > 1, made
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 200_000, done.stdout
