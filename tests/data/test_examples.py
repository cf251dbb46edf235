"""Examples of answers: what of a line is learned, which line is none, and in which batch each stands."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codex.config import Config, load
from codex.data.examples import ExampleBatches, Examples, read_examples
from codex.errors import DataError
from codex.tokens import Tokenizer, train_bpe

TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|endoftext|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
LORA = {"adapt.lora": "true", "train.optimizer": "adamw"}
SUMS = [{"prompt": f"{a} + {b} =", "response": f" {a + b}"} for a in range(8) for b in range(8)]


class Talk:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def step(self, stage: str, done: int, total: int) -> None:
        """Not looked at."""


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe(["1 + 2 = 3\n"] * 3, 260)


def configured(folder: Path, **changes: object) -> Config:
    keys = {"data.corpus": "null", "data.paths": f"[{folder}]", "train.objective": "responses", **changes}
    return load("base", [f"{key}={value}" for key, value in keys.items()]).config


def written(folder: Path, lines: list[Any], name: str = "examples.ndjson") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def read(folder: Path, tokenizer: Tokenizer, talk: Talk | None = None, **changes: object) -> Examples:
    cache = folder.parent / "cache"
    return read_examples(configured(folder, **changes), tokenizer, cache=cache, progress=talk or Talk())


def test_without_a_template_a_prompt_and_an_answer_are_one_document(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    found = read(written(tmp_path / "in", SUMS), tokenizer)
    assert len(found.train) + len(found.validation) == len(SUMS)
    for example in found.train:
        (row,) = example.rows
        ids = row.tokens.tolist()
        assert ids[0] == ids[-1] == tokenizer.end_of_document_id
        said = [token for token, learned in zip(ids, row.learned.tolist(), strict=True) if learned]
        assert tokenizer.decode(said[:-1]) == example.answer and said[-1] == ids[-1]
        assert f"{tokenizer.decode(ids[1:-1])}" in {f"{line['prompt']}{line['response']}" for line in SUMS}


def test_in_a_template_only_what_the_assistant_says_is_learned(tmp_path: Path, tokenizer: Tokenizer) -> None:
    pytest.importorskip("jinja2", reason="needs the extra `train`")
    conversations = [
        {
            "messages": [
                {"role": "system", "content": "add"},
                *({"role": role, "content": f"{role} {n}"} for role in ("user", "assistant")),
                {"role": "user", "content": "more"},
                {"role": "assistant", "content": str(n)},
            ]
        }
        for n in range(30)
    ]
    found = read(written(tmp_path / "in", conversations), tokenizer.with_settings(chat_template=TEMPLATE))
    for example in found.train:
        (row,) = example.rows
        said = tokenizer.decode(row.tokens[row.learned].tolist())
        number = example.answer.removeprefix("assistant ")
        number = number[: len(number) // 2]
        assert said == f"assistant {number}<|endoftext|>{number}<|endoftext|>"


LINES: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "is no JSON"),
    "a number": ("7", "is no example"),
    "another key": ('{"prompt": "a", "answer": "b"}', "expected `prompt`, `response` or `messages`"),
    "a number for text": ('{"prompt": "a", "response": 3}', "is no example"),
    "nested without end": ("[" * 100_000, "is no JSON"),
    "half a character": (r'{"prompt": "\ud800", "response": "b"}', "is no example"),
    "no UTF-8": ("{\udcff}", "is no JSON"),
    "no messages": ('{"messages": "hello"}', "is no example"),
    "a message without a role": ('{"messages": [{"content": "x"}]}', "is no example"),
}


@pytest.mark.parametrize(("line", "message"), LINES.values(), ids=LINES)
def test_a_line_that_is_no_example_is_named(
    line: str, message: str, tmp_path: Path, tokenizer: Tokenizer
) -> None:
    folder = written(tmp_path / "in", SUMS)
    text = f'{{"prompt": "a", "response": "b"}}\n\n{line}\n'
    (folder / "more.ndjson").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=message) as caught:
        read(folder, tokenizer)
    assert str(caught.value).startswith("more.ndjson:3 ")


def test_a_conversation_without_a_template_is_refused(tmp_path: Path, tokenizer: Tokenizer) -> None:
    folder = written(tmp_path / "in", [{"messages": [{"role": "assistant", "content": "x"}]}])
    with pytest.raises(DataError, match=r"^examples\.ndjson:1: a conversation needs a chat template"):
        read(folder, tokenizer)


def test_a_message_that_spells_a_special_token_is_named(tmp_path: Path, tokenizer: Tokenizer) -> None:
    pytest.importorskip("jinja2", reason="needs the extra `train`")
    folder = written(tmp_path / "in", [{"prompt": "a", "response": "<|endoftext|>"}])
    with pytest.raises(DataError, match=r"^examples\.ndjson:1: message 1 holds the special token"):
        read(folder, tokenizer.with_settings(chat_template=TEMPLATE))


def test_a_file_that_is_not_read_is_said_and_counted(tmp_path: Path, tokenizer: Tokenizer) -> None:
    folder = written(tmp_path / "in", SUMS)
    (folder / "nowhere.ndjson").symlink_to(tmp_path / "nothing")
    talk = Talk()
    found = read(folder, tokenizer, talk)
    assert found.lineage[0]["counts"]["skipped_files"] == 1
    assert [line for line in talk.lines if line.startswith("skipped `nowhere.ndjson`: ")]


def test_of_a_pair_the_chosen_answer_stands_first(tmp_path: Path, tokenizer: Tokenizer) -> None:
    lines = [{"prompt": f"{n}", "chosen": "+", "rejected": "2 2"} for n in range(20)]
    found = read(written(tmp_path / "in", lines), tokenizer, **{"train.objective": "preferences", **LORA})
    batch = ExampleBatches(found.train, found.digest, 3, seed=0)[0]
    assert batch.learned is not None
    said = [
        tokenizer.decode(row[1:][learned].tolist())
        for row, learned in zip(batch.tokens, batch.learned, strict=True)
    ]
    assert said == ["+<|endoftext|>", "2 2<|endoftext|>"] * 3


def test_what_is_left_out_is_counted_and_said(tmp_path: Path, tokenizer: Tokenizer) -> None:
    long = {"prompt": "1 + 2 " * 300, "response": "3"}
    talk = Talk()
    found = read(written(tmp_path / "in", [*SUMS, SUMS[0], {**SUMS[1], "note": "x"}, long]), tokenizer, talk)
    assert (
        found.lineage[0]["counts"] | {"duplicates": 2, "longer_than_context": 1} == found.lineage[0]["counts"]
    )
    assert "examples left out: 1 (longer than context)" in talk.lines
    assert len(found.train) + len(found.validation) == len(SUMS)


def test_more_examples_move_none_to_another_side(tmp_path: Path, tokenizer: Tokenizer) -> None:
    folder = written(tmp_path / "in", SUMS[:40])
    before = read(folder, tokenizer)
    after = read(written(folder, SUMS[40:], "more.ndjson"), tokenizer)
    assert {e.id for e in before.train} < {e.id for e in after.train}
    assert {e.id for e in before.validation} <= {e.id for e in after.validation}
    assert before.digest != after.digest
    shorter = read(folder, tokenizer, **{"model.context": 128})
    assert shorter.digest != after.digest


def test_examples_may_be_compressed(tmp_path: Path, tokenizer: Tokenizer) -> None:
    plain = written(tmp_path / "plain", SUMS)
    packed = tmp_path / "packed"
    packed.mkdir()
    content = (plain / "examples.ndjson").read_bytes()
    (packed / "examples.ndjson.gz").write_bytes(gzip.compress(content.replace(b"\n", b"\r\n")))
    assert read(packed, tokenizer).digest == read(plain, tokenizer).digest


def test_a_side_without_examples_is_an_error(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match="none of 1 examples is left for split"):
        read(written(tmp_path / "in", SUMS[:1]), tokenizer)


def test_an_epoch_has_every_example_once_and_a_batch_is_a_function_of_its_index(
    tmp_path: Path, tokenizer: Tokenizer
) -> None:
    found = read(written(tmp_path / "in", SUMS), tokenizer)
    size, many = 5, len(found.train)
    batches = ExampleBatches(found.train, found.digest, size, seed=3)
    seen = [batches[index] for index in range(many)]  # five epochs
    rows = [
        tuple(row[: int(learned.nonzero()[0][-1]) + 2])
        for batch in seen
        for row, learned in zip(batch.tokens.tolist(), batch.learned, strict=True)  # type: ignore[arg-type]
    ]
    wanted = sorted(tuple(example.rows[0].tokens.tolist()) for example in found.train)
    orders = [rows[epoch * many : (epoch + 1) * many] for epoch in range(size)]
    assert all(sorted(order) == wanted for order in orders) and orders[0] != orders[1]
    assert [batch.epoch for batch in seen] == [index * size // many for index in range(many)]
    again = ExampleBatches(found.train, found.digest, size, seed=3)
    for index in (7, 2, 30):
        np.testing.assert_array_equal(again[index].tokens, seen[index].tokens)
    assert not np.array_equal(ExampleBatches(found.train, "", size, seed=4)[0].tokens, seen[0].tokens)
