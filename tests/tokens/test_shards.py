"""Shards: what went in comes out, any tool can open them, and one flipped bit is found."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

from codex.errors import DamageError, DataError, MissingDataError, UsageError
from codex.tokens import Shard, ShardsWritten, Tokenizer, open_shard, train_bpe, write_shards


def document(text: str) -> Any:
    """All of a record that shards look at."""
    return SimpleNamespace(id=hashlib.sha256(text.encode()).hexdigest()[:32], text=text)


def write(path: Path, texts: Iterable[str], tokenizer: Tokenizer, **options: Any) -> ShardsWritten:
    return write_shards(SimpleNamespace(path=path), "train", map(document, texts), tokenizer, **options)


def texts_of(shard: Shard, tokenizer: Tokenizer) -> list[str]:
    bounds = shard.document_offsets.tolist()
    rows = [shard.tokens[start:end] for start, end in pairwise(bounds)]
    assert all(row[-1] == tokenizer.end_of_document_id for row in rows)
    return [tokenizer.decode(row[:-1]) for row in rows]


def test_documents_come_back_in_order_with_their_ids(pair: Any, sources: list[str], tmp_path: Path) -> None:
    written = write(tmp_path, sources, pair.ours, shard_tokens=200_000)
    shards = [open_shard(tmp_path / name) for name in written.names]
    assert written.names == tuple(f"train-{number:05}.safetensors" for number in range(len(shards)))
    assert len(shards) > 3
    assert [text for shard in shards for text in texts_of(shard, pair.ours)] == sources
    ids = [bytes(row).hex() for shard in shards for row in shard.document_ids]
    assert ids == [document(text).id for text in sources]
    assert written.documents == len(sources)
    assert written.tokens == sum(shard.tokens.size for shard in shards)
    assert all(shard.tokens.size <= 200_000 for shard in shards)
    assert {shard.metadata["tokenizer"] for shard in shards} == {pair.ours.fingerprint}
    assert {shard.metadata["split"] for shard in shards} == {"train"}


def test_a_document_longer_than_a_shard_has_one_of_its_own(pair: Any, tmp_path: Path) -> None:
    texts = ["a", "long " * 500, "b", ""]
    written = write(tmp_path, texts, pair.ours, shard_tokens=100)
    shards = [open_shard(tmp_path / name) for name in written.names]
    assert [texts_of(shard, pair.ours) for shard in shards] == [["a"], ["long " * 500], ["b", ""]]


def test_the_end_of_a_document_stands_only_at_its_end(pair: Any, tmp_path: Path) -> None:
    written = write(tmp_path, ["x <|endoftext|> y", "", "<|endoftext|>"], pair.ours)
    shard = open_shard(tmp_path / written.names[0])
    ends = np.flatnonzero(shard.tokens == pair.ours.end_of_document_id)
    assert ends.tolist() == (shard.document_offsets[1:] - 1).tolist()
    assert texts_of(shard, pair.ours) == ["x <|endoftext|> y", "", "<|endoftext|>"]


def test_the_official_library_reads_the_same_arrays(pair: Any, tmp_path: Path) -> None:
    written = write(tmp_path, ["one", "two"], pair.ours)
    shard = open_shard(tmp_path / written.names[0])
    with safe_open(tmp_path / written.names[0], "numpy") as theirs:
        names = theirs.keys()
        assert sorted(names) == ["document_ids", "document_offsets", "tokens"]
        assert theirs.metadata() == shard.metadata
        for name in names:
            assert np.array_equal(theirs.get_tensor(name), getattr(shard, name))
            assert theirs.get_tensor(name).dtype == getattr(shard, name).dtype


def test_the_bytes_are_a_function_of_the_documents(pair: Any, sources: list[str], tmp_path: Path) -> None:
    """And not of the threads that encode them."""

    def files(threads: int | None) -> dict[str, bytes]:
        folder = tmp_path / str(threads)
        folder.mkdir()
        write(folder, iter(sources), pair.ours, shard_tokens=100_000, threads=threads)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    alone = files(1)
    assert len(alone) > 3
    for threads in (2, 7, None):
        assert files(threads) == alone


def test_arrays_are_mapped_and_cannot_be_written(pair: Any, tmp_path: Path) -> None:
    written = write(tmp_path, ["one", "two"], pair.ours)
    shard = open_shard(tmp_path / written.names[0])
    for array in (shard.tokens, shard.document_offsets, shard.document_ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        base: Any = array
        while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
            base = base.base
        assert isinstance(base, np.memmap)


def test_one_flipped_bit_is_damage_that_names_the_file(pair: Any, tmp_path: Path) -> None:
    path = tmp_path / write(tmp_path, ["one two three", "four"], pair.ours).names[0]
    good = path.read_bytes()
    for at in range(len(good)):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        with pytest.raises(DamageError, match="train-00000"):
            open_shard(path)


def test_without_verify_the_layout_is_still_checked(pair: Any, tmp_path: Path) -> None:
    path = tmp_path / write(tmp_path, ["one two three", "four"], pair.ours).names[0]
    good = path.read_bytes()
    first_offset = 8 + int.from_bytes(good[:8], "little")
    last_offset = first_offset + 16
    last_token = len(good) - 2 * 16 - 2
    for at, message in [
        (first_offset, "document_offsets"),
        (last_offset, "document_offsets"),
        (last_token, "ends with id"),
    ]:
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x40]) + good[at + 1 :])
        with pytest.raises(DamageError, match=message):
            open_shard(path, verify=False)
    path.write_bytes(good[:-1])
    with pytest.raises(DamageError, match="cut short"):
        open_shard(path, verify=False)


def test_other_files_are_refused_by_name(pair: Any, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"tokens": np.zeros(3, np.uint16)}, tmp_path / "plain.safetensors")
    with pytest.raises(DamageError, match="`kind` is nothing, expected token-shard"):
        open_shard(tmp_path / "plain.safetensors")
    path = tmp_path / write(tmp_path, ["one"], pair.ours).names[0]
    path.write_bytes(path.read_bytes().replace(b'"schema_version":"1"', b'"schema_version":"2"'))
    with pytest.raises(DamageError, match="`schema_version` is 2, this codex reads 1"):
        open_shard(path)
    with pytest.raises(MissingDataError, match="nowhere"):
        open_shard(tmp_path / "nowhere")


def test_what_cannot_be_written_is_refused(pair: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="document id `xyz` is not 32 lower-case hex digits"):
        write_shards(
            SimpleNamespace(path=tmp_path), "train", [SimpleNamespace(id="xyz", text="a")], pair.ours
        )
    for split in ("", "../up", "a b"):
        with pytest.raises(UsageError, match="is not a name"):
            write_shards(SimpleNamespace(path=tmp_path), split, [], pair.ours)
    with pytest.raises(UsageError, match="`shard_tokens` is 0"):
        write(tmp_path, [], pair.ours, shard_tokens=0)
    with pytest.raises(UsageError, match="`threads` is 0"):
        write(tmp_path, [], pair.ours, threads=0)
    with pytest.raises(UsageError, match="no special token"):
        write(tmp_path, [], train_bpe(["abc"], 300, ()))
    assert list(tmp_path.iterdir()) == []


def test_no_documents_make_no_file(pair: Any, tmp_path: Path) -> None:
    assert write(tmp_path, [], pair.ours) == ShardsWritten((), 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_corpus(pair: Any, tmp_path: Path) -> None:
    """100 MB of text through shards of 0.5 MB: less than 40 MB more than before."""
    pair.ours.save(tmp_path / "tokenizer.json")
    program = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
from codex.tokens import Tokenizer, write_shards
home = Path(sys.argv[1])
tokenizer = Tokenizer.from_file(home / "tokenizer.json")
tokenizer.encode("warm")
def documents():
    for number in range(1000):
        yield SimpleNamespace(id=f"{number:032x}", text=f"{number} " + "the quick brown fox " * 5000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
written = write_shards(SimpleNamespace(path=home), "train", documents(), tokenizer, shard_tokens=1 << 18)
assert written.documents == 1000 and len(written.names) > 50, written
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40 * 1024
