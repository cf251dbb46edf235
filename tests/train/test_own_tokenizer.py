"""From text to a trained model with a tokenizer of one's own, each step as it is typed, in a folder where nothing was before."""

from __future__ import annotations

import json
from pathlib import Path

from codex.file import verify_folder
from codex.tokens import Tokenizer
from tests.conftest import Codex
from tests.train.tiny import TINY


def test_a_run_with_an_own_tokenizer(codex: Codex, corpus: Path, tmp_path: Path) -> None:
    learnt = codex("tokenizer", "train", str(corpus), "--vocabulary-size", "300", "--out", "own.json")
    assert learnt.returncode == 0, learnt.stderr
    own = Tokenizer.from_file(tmp_path / "own.json").fingerprint

    words = {key: value for key, value in TINY.items() if key != "tokens.vocabulary_size"}
    words |= {"data.paths": f"[{corpus}]", "tokens.tokenizer": "own.json", "train.max_steps": 2}
    words |= {"train.warmup_steps": 1, "checkpoint.every_steps": 2, "run.directory": "runs"}
    typed = [f"{key}={value}" for key, value in words.items()]
    tokenized = codex("data", "tokenize", *typed)
    assert tokenized.returncode == 0, tokenized.stderr
    trained = codex("train", *typed, "--json")
    assert trained.returncode == 0, trained.stderr

    facts = json.loads(trained.stdout)
    checkpoint = Path(facts["checkpoint"])
    assert Tokenizer.from_file(tmp_path / checkpoint / "tokenizer.json").fingerprint == own
    assert own in (tmp_path / checkpoint / "../../lineage.json").read_text()
    verify_folder(tmp_path / checkpoint)
