"""Batches: the right tokens, once, from whichever place one starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codex.config.schema import Config
from codex.data.load import SplitTokens, TokenBatches
from codex.data.order import TokenOrder
from codex.data.prepare import prepare
from codex.errors import DamageError, DataError, MissingDataError, ShapeError
from codex.file import PartialFolder, digest_file, read_manifest, write_manifest
from codex.records import Record, Source, read_records, record_id
from codex.tokens import Tokenizer, write_shards

Configure = Callable[..., Config]


@pytest.fixture
def shards(config: Config, tmp_path: Path) -> Path:
    return prepare(config, cache=tmp_path / "cache").shards


def rows_by_hand(
    shards: Path, split: str, row_tokens: int, seed: int, first: int, rows: int
) -> list[list[int]]:
    """The slow twin of `TokenBatches`: token by token."""
    documents = SplitTokens(shards, split)
    order = TokenOrder(documents.lengths, row_tokens, seed)
    result: list[list[int]] = [[] for _ in range(rows)]
    pieces = order.pieces(first, rows)
    for row, document, offset, length in zip(
        pieces.row, pieces.document, pieces.offset, pieces.length, strict=True
    ):
        for place in range(length):
            result[row].append(int(documents[document][offset + place]))
    return result


@pytest.mark.parametrize("row_tokens", [2, 7, 33, 128, 129])
@pytest.mark.parametrize("batch_rows", [1, 3, 8])
def test_batches_equal_their_slow_twin(shards: Path, row_tokens: int, batch_rows: int) -> None:
    batches = TokenBatches(shards, "train", row_tokens, batch_rows, seed=5)
    for index in (0, 1, 2, 17, 400):
        tokens = batches[index].tokens
        assert tokens.shape == (batch_rows, row_tokens) and tokens.dtype == np.int64
        assert tokens.tolist() == rows_by_hand(shards, "train", row_tokens, 5, index * batch_rows, batch_rows)


def test_batch_is_the_same_in_whatever_order_batches_are_asked_for(shards: Path) -> None:
    in_order = [TokenBatches(shards, "train", 17, 4, seed=1)[index].tokens for index in range(60)]
    backwards = TokenBatches(shards, "train", 17, 4, seed=1)
    for index in reversed(range(60)):
        assert np.array_equal(backwards[index].tokens, in_order[index])


@pytest.mark.parametrize("workers", [1, 2, 3, 5])
def test_workers_that_share_the_rows_read_what_one_reads(shards: Path, workers: int) -> None:
    alone = np.concatenate(
        [TokenBatches(shards, "train", 17, 30, seed=1)[index].tokens for index in range(4)]
    )
    own = [TokenBatches(shards, "train", 17, 1, seed=1) for _ in range(workers)]
    together = [own[row % workers][row].tokens[0] for row in range(120)]
    assert np.array_equal(np.stack(together), alone)


def test_batches_tell_their_epoch_and_lose_no_row_between_two(shards: Path) -> None:
    batches = TokenBatches(shards, "train", 17, 4, seed=1)
    rows = batches.order.rows_per_epoch
    assert [batches[index].epoch for index in (0, (rows - 1) // 4, (rows + 3) // 4)] == [0, 0, 1]
    assert batches.remainder_tokens == (batches.order.total_tokens - 1) % 16
    all_rows = np.concatenate([batches[index].tokens for index in range(rows)])  # four epochs
    targets = [np.sort(all_rows[epoch * rows : (epoch + 1) * rows, 1:].ravel()) for epoch in range(4)]
    assert all(part.size == rows * 16 for part in targets)


def test_documents_hold_the_records_and_end_with_the_end_of_document(config: Config, tmp_path: Path) -> None:
    prepared = prepare(config, cache=tmp_path / "cache")
    tokenizer = Tokenizer.from_file(prepared.tokenizer / "tokenizer.json")
    for split in ("train", "validation"):
        documents = SplitTokens(prepared.shards, split)
        records = list(read_records(prepared.splits / f"{split}.ndjson"))
        assert [bytes(row).hex() for row in documents.document_ids] == [record.id for record in records]
        assert len(documents) == len(records)
        for document, record in enumerate(records):
            tokens = documents[document]
            assert tokens[-1] == tokenizer.end_of_document_id
            assert tokenizer.decode(tokens[:-1]) == record.text


def test_documents_of_several_shards_are_read_as_one_line(config: Config, tmp_path: Path) -> None:
    prepared = prepare(config, cache=tmp_path / "cache")
    tokenizer = Tokenizer.from_file(prepared.tokenizer / "tokenizer.json")
    records = list(read_records(prepared.splits / "train.ndjson"))
    many = tmp_path / "many"
    with PartialFolder(many) as folder:
        written = write_shards(folder, "train", records, tokenizer, shard_tokens=300)
        files = [
            {
                "path": name,
                "bytes": (folder.path / name).stat().st_size,
                "digest": digest_file(folder.path / name).digest,
            }
            for name in sorted(written.names)
        ]
        write_manifest(folder.path, {"kind": "shards", "schema_version": 1, "files": files})
    assert len(files) > 3
    one, several = (TokenBatches(shards, "train", 33, 4, seed=2) for shards in (prepared.shards, many))
    for index in range(40):
        assert np.array_equal(one[index].tokens, several[index].tokens)


def test_flipped_bit_in_a_shard_is_found_when_it_is_opened(shards: Path) -> None:
    path = next(shards.glob("train-*"))
    data = bytearray(path.read_bytes())
    data[-5] ^= 4
    path.write_bytes(data)
    with pytest.raises(DamageError, match=rf"shard `{path}` is damaged"):
        TokenBatches(shards, "train", 17, 4, seed=0)
    assert len(SplitTokens(shards, "validation")) > 0


def test_missing_shard_is_found_when_it_is_opened(shards: Path) -> None:
    next(shards.glob("train-*")).unlink()
    with pytest.raises((DamageError, MissingDataError), match=r"train-00000"):
        TokenBatches(shards, "train", 17, 4, seed=0)


def test_folder_without_shards_says_so(tmp_path: Path) -> None:
    with pytest.raises((DamageError, MissingDataError), match=r"manifest"):
        TokenBatches(tmp_path, "train", 17, 4, seed=0)


def test_unknown_split_is_named(shards: Path) -> None:
    with pytest.raises(DataError, match=r"no split `test`"):
        TokenBatches(shards, "test", 17, 4, seed=0)


def test_corpus_smaller_than_a_row_says_so(shards: Path) -> None:
    with pytest.raises(
        DataError, match=r"split `train` is too small: .* expected at least 1000001 to fill one row"
    ):
        TokenBatches(shards, "train", 1_000_001, 1, seed=0)


def test_batch_without_rows_and_batch_before_the_first_are_refused(shards: Path) -> None:
    with pytest.raises(ShapeError, match=r"`batch_rows` is 0"):
        TokenBatches(shards, "train", 17, 0, seed=0)
    with pytest.raises(IndexError, match=r"batch -1"):
        TokenBatches(shards, "train", 17, 1, seed=0)[-1]


def test_digest_is_that_of_the_manifest(shards: Path) -> None:
    assert SplitTokens(shards, "train").digest == read_manifest(shards)["digest"]


def test_one_document_that_is_one_row_is_read_for_ever(tmp_path: Path, config: Config) -> None:
    prepared = prepare(config, cache=tmp_path / "cache")
    tokenizer = Tokenizer.from_file(prepared.tokenizer / "tokenizer.json")
    text = "x"
    record = Record(record_id(text), text, Source("x", None, 0, "utf-8", 0), None)
    with PartialFolder(tmp_path / "tiny") as folder:
        write_shards(folder, "train", [record], tokenizer)
        name = "train-00000.safetensors"
        digest = digest_file(folder.path / name)
        entry = {"path": name, "bytes": digest.bytes, "digest": digest.digest}
        write_manifest(folder.path, {"kind": "shards", "schema_version": 1, "files": [entry]})
    tokens = TokenBatches(tmp_path / "tiny", "train", 2, 3, seed=0)[7].tokens
    assert tokens.tolist() == [[*tokenizer.encode(text), tokenizer.end_of_document_id]] * 3
