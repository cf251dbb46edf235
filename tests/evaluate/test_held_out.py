"""The held-out text of real shards: its bytes are the bytes of the records, end of documents aside."""

from __future__ import annotations

from pathlib import Path

from codex.config import load
from codex.data.prepare import prepare
from codex.evaluate import HeldOut
from codex.records import read_records
from codex.tokens import Tokenizer


def test_its_bytes_are_those_of_the_records(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    for number in range(40):
        (text / f"{number}.py").write_text(
            f"# é {number} 日本 \U0001f600\nname_{number} = 'ü' * {number}\n" * 5
        )
    loaded = load("base", ["data.corpus=null", f"data.paths=[{text}]", "tokens.vocabulary_size=300"])
    prepared = prepare(loaded.config, cache=tmp_path / "cache")
    tokenizer = Tokenizer.from_file(prepared.tokenizer / "tokenizer.json")
    held_out = HeldOut.open(prepared.shards, tokenizer)
    records = list(read_records(prepared.splits / "validation.ndjson"))
    assert held_out.documents == len(records) > 0
    assert held_out.bytes == sum(len(record.text.encode()) for record in records)
    joined = "".join(f"{record.text}<|endoftext|>" for record in records)
    assert tokenizer.decode(held_out.tokens) == joined, "all documents in id order, each ended"
