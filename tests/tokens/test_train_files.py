"""Training from files: the same bytes whatever the threads, the pieces and the memory, and nothing half done."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import tiktoken
import tokenizers

from codex.errors import CodexError, DataError, MachineError, MissingDataError, UsageError
from codex.file import FailPoints, digest_file, read_manifest
from codex.records import Record, Source, encode_records
from codex.tokens import BpeOptions, Tokenizer, learn_bpe, train_bpe

LIMIT = 8 << 20


@pytest.fixture(scope="module")
def many_words() -> str:
    """2 MB of words, nearly each a new one."""
    drawn = random.Random(5)
    syllables = [a + b for a in "bcdfghklmnprstvwz" for b in "aeiouäéяか"]
    return " ".join("".join(drawn.choices(syllables, k=drawn.randint(2, 5))) for _ in range(200_000))


@pytest.fixture
def files(tmp_path: Path, sources: list[str]) -> list[Path]:
    for number, text in enumerate(sources[:12]):
        (tmp_path / f"{number:02}.txt").write_text(text, encoding="utf-8", newline="")
    return sorted(tmp_path.glob("*.txt"))


def test_files_give_what_their_texts_give(files: list[Path], sources: list[str]) -> None:
    expected = learn_bpe(sources[:12], 1000)
    for threads, order in [(1, files), (2, files[::-1]), (5, files[3:] + files[:3])]:
        trained = learn_bpe(order, 1000, threads=threads)
        assert trained.json == expected.json
        assert trained.manifest["counts"] == expected.manifest["counts"]
    assert train_bpe(files, 1000, threads=3).to_json() == expected.tokenizer.to_json()


def test_equal_runs_have_equal_manifests(files: list[Path], tmp_path: Path) -> None:
    saved = []
    for threads, order in [(1, files), (3, files[::-1])]:
        out = tmp_path / f"{threads}" / "tokenizer.json"
        out.parent.mkdir()
        learn_bpe(order, 500, threads=threads).save(out)
        saved.append({each.name: each.read_bytes() for each in out.parent.iterdir()})
    assert saved[0] == saved[1]
    assert sorted(saved[0]) == ["tokenizer.json", "tokenizer.manifest.json", "tokenizer.tiktoken"]
    manifest = read_manifest(tmp_path / "1" / "tokenizer.manifest.json")
    digests = sorted(digest_file(path).digest for path in files)
    assert [parent["digest"] for parent in manifest["parents"]] == digests
    assert manifest["is_reproducible"] is True
    assert manifest["parameters"]["vocab_size"] == manifest["counts"]["vocab_size"] == 500


def test_the_ranks_make_the_same_tokenizer(files: list[Path], tmp_path: Path, sources: list[str]) -> None:
    learn_bpe(files, 700).save(tmp_path / "t.json")
    ours = Tokenizer.from_file(tmp_path / "t.json")
    ranked = tiktoken.Encoding(
        "t",
        pat_str=r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+""",
        mergeable_ranks={
            base64.b64decode(token): int(rank)
            for token, rank in map(str.split, (tmp_path / "t.tiktoken").read_text().splitlines())
        },
        special_tokens={"<|endoftext|>": 0},
    )
    assert ranked.encode_ordinary(sources[20]) == ours.encode(sources[20])


def test_lines_are_texts_where_asked_as_tokenizers_reads_files(files: list[Path], train_theirs: Any) -> None:
    from tokenizers import models, pre_tokenizers, trainers

    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    theirs.train([str(path) for path in files], trainer)
    ours = json.loads(learn_bpe(files, 900, BpeOptions(by_line=True), threads=2).json)
    assert ours["model"]["merges"] == json.loads(theirs.to_str())["model"]["merges"]


def test_records_and_compressed_files_are_read(tmp_path: Path, sources: list[str]) -> None:
    texts = sources[20:24]
    records = encode_records([Record.of(text, Source("x")) for text in texts[:2]])
    (tmp_path / "a.ndjson").write_bytes(records)
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(encode_records([Record.of(texts[2], Source("x"))])))
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(texts[3].encode()))
    assert learn_bpe(sorted(tmp_path.iterdir()), 600).json == learn_bpe(texts, 600).json


def test_a_limit_far_below_the_words_changes_nothing(many_words: str, tmp_path: Path) -> None:
    expected = learn_bpe([many_words], 600)
    spill = tmp_path / "spill"
    spill.mkdir()
    limited = learn_bpe([many_words], 600, memory_limit=LIMIT, threads=2, spill_into=spill)
    assert limited.spilled_bytes > 0
    assert (limited.json, limited.manifest) == (expected.json, expected.manifest)
    assert not list(spill.iterdir())


@pytest.mark.parametrize(
    ("rule", "kind"),
    [("tokens.spill.write=enospc@2", MachineError), ("tokens.spill.create=eio@1", MachineError)],
)
def test_a_full_disk_is_an_error_and_nothing_is_left(
    many_words: str, tmp_path: Path, rule: str, kind: type[CodexError]
) -> None:
    with FailPoints(rule), pytest.raises(kind, match="cannot spill into") as raised:
        learn_bpe([many_words], 600, memory_limit=LIMIT, threads=1, spill_into=tmp_path)
    assert "TMPDIR" in str(raised.value.hint)
    assert not list(tmp_path.iterdir())


def test_a_kill_while_spilling_leaves_nothing(many_words: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text(many_words, encoding="utf-8")
    script = """
        from pathlib import Path
        from codex.tokens import learn_bpe
        learn_bpe(Path("words.txt"), 600, memory_limit=8 << 20, spill_into="spill").save("tokenizer.json")
    """
    (tmp_path / "spill").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "CODEX_FAIL_POINTS": "tokens.spill.write=kill@5"},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["spill", "words.txt"]


def test_an_unreadable_file_among_many_is_named(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"missing\.txt"):
        learn_bpe([*files, tmp_path / "missing.txt"], 500)
    with pytest.raises(MissingDataError, match=r"missing\.txt"):
        train_bpe([*files, tmp_path / "missing.txt"], 500)
    (tmp_path / "latin.txt").write_bytes("naïve".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.txt`: not UTF-8: byte 0xef at 2"):
        learn_bpe([*files, tmp_path / "latin.txt"], 500)
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"some text" * 999)[:40])
    with pytest.raises(DataError, match=r"cut\.txt\.gz`: the gzip stream is cut short"):
        learn_bpe([*files, tmp_path / "cut.txt.gz"], 500)
    (tmp_path / "bad.ndjson").write_text('{"text": 1}\n')
    with pytest.raises(DataError, match=r"bad\.ndjson"):
        learn_bpe([*files, tmp_path / "bad.ndjson"], 500)


def test_what_is_neither_text_nor_file_is_refused() -> None:
    with pytest.raises(UsageError, match=r"an input is a int, expected a text \(str\) or a file \(Path\)"):
        train_bpe([3], 300)  # type: ignore[list-item]
    with pytest.raises(UsageError, match="`threads` is 0"):
        train_bpe(["a"], 300, threads=0)
    with pytest.raises(UsageError, match="`memory_limit` is 1000 bytes, expected at least 8388608"):
        train_bpe(["a"], 300, memory_limit=1000)
    with pytest.raises(DataError, match="lone surrogate"):
        train_bpe(["a\ud800"], 300)


def test_progress_tells_of_bytes_and_merges(files: list[Path]) -> None:
    told: list[tuple[str, int, int]] = []
    learn_bpe(files[0], 700, progress=lambda *step: told.append(step))
    assert told[0] == ("read 00.txt", files[0].stat().st_size, files[0].stat().st_size)
    assert told[-1] == ("merge", 700 - 257, 700 - 257)


@pytest.mark.parametrize("trainer", ["unigram", "wordpiece"])
def test_trainers_of_tokenizers_say_that_they_do_not_repeat(
    trainer: Any, tmp_path: Path, sources: list[str]
) -> None:
    from codex.tokens import load_tokenizer
    from codex.tokens.foreign_train import learn_foreign

    trained = learn_foreign(sources[9:10], 400, trainer)
    assert trained.manifest["is_reproducible"] is False
    assert trained.manifest["library"] == f"tokenizers {tokenizers.__version__}"
    trained.save(tmp_path / "tokenizer.json")
    assert not (tmp_path / "tokenizer.tiktoken").exists()
    loaded = load_tokenizer(tmp_path)
    assert loaded.decode(loaded.encode("import this")).strip() == "import this"
