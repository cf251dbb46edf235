"""A run that starts from weights that are there: shape and tokenizer are theirs, and it is as exact as any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from codex.checkpoint import export, import_folder
from codex.checkpoint import load as load_checkpoint
from codex.config import LoadedConfig, load
from codex.errors import CodexError, ConfigError, DamageError, DataError, Interrupted, MissingDataError
from codex.file import read_manifest
from codex.tokens import train_bpe
from codex.train import Summary, train
from codex.train.plan import plan_run
from codex.train.pretrained import adopt
from codex.train.progress import Silent
from tests.train.tiny import TINY, Talk, assert_same_end, write_corpus

#: The tiny run without what a checkpoint says.
KEYS = {key: value for key, value in TINY.items() if not key.startswith("model.")}


@pytest.fixture
def source(whole: Summary, tmp_path: Path) -> Path:
    """A checkpoint that a test may move or break."""
    return Path(shutil.copytree(whole.checkpoint, tmp_path / "source" / whole.checkpoint.name))


@pytest.fixture
def start(source: Path, tmp_path: Path) -> Any:
    write_corpus(tmp_path / "other text", seed=8)

    def make(where: str = "runs", **changes: object) -> LoadedConfig:
        keys = KEYS | {"data.paths": f"['{tmp_path / 'other text'}']", "run.directory": str(tmp_path / where)}
        keys |= {"model.pretrained": str(source), "run.name": "tuned", **changes}
        return load("fine-tune", [f"{key}={value}" for key, value in keys.items()])

    return make


def test_it_begins_where_the_other_ended(start: Any, source: Path, whole: Summary) -> None:
    begun = train(start(**{"train.max_steps": 1, "train.adam_learning_rate": 1e-12}))
    ours, theirs = load_checkpoint(begun.checkpoint), load_checkpoint(source)
    assert ours.model.keys() == theirs.model.keys()
    for name, tensor in theirs.model.items():
        torch.testing.assert_close(ours.model[name], tensor, rtol=0, atol=1e-8)
    section = {**theirs.state["config"]["model"], "pretrained": str(source)}
    assert ours.state["config"]["model"] == section
    assert ours.files["tokenizer.json"] == theirs.files["tokenizer.json"]
    lineage = json.loads((begun.run / "lineage.json").read_text())
    assert lineage["pretrained"] == {"step": whole.step, "digest": read_manifest(source)["digest"]}
    assert export(begun.checkpoint, begun.run / "hf", to="hf").tensors == len(theirs.model)


def test_a_run_stands_for_its_newest_checkpoint(start: Any, whole: Summary) -> None:
    begun = train(start(**{"train.max_steps": 1, "model.pretrained": whole.run}))
    assert json.loads((begun.run / "lineage.json").read_text())["pretrained"]["step"] == whole.step


def test_stopped_and_resumed_without_the_source_it_ends_with_the_same_bytes(start: Any, source: Path) -> None:
    one = train(start("whole"))
    with pytest.raises(Interrupted):
        train(start("broken"), progress=Talk(stop_at=5))
    for file in source.iterdir():
        if file.name != "tokenizer.json":
            file.unlink()
    other = train(start("broken"), resume=True)
    assert_same_end(one.run, other.run)


def test_a_llama_may_see_less_than_it_could(start: Any) -> None:
    loaded = adopt(start(**{"model.context": 12, "evaluate.stride": 6}))
    assert (loaded.config.model.context, loaded.config.model.width) == (12, 16)
    plan = plan_run(loaded.config, "tuned", Silent())
    assert plan.tokens_per_step == 4 * 12


def test_what_is_said_otherwise_is_refused_all_at_once_and_where(start: Any, source: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        train(start(**{"model.width": 64, "model.context": 32, "model.layers": 1}))
    said = str(caught.value)
    assert f"`model.width` is 64, but that of `{source}` is 16 (command line)" in said
    assert f"`model.context` is 32, but that of `{source}` is 16" in said
    assert "model.layers" not in said and caught.value.exit_code == 2


def _other_tokenizer(folder: Path) -> None:
    train_bpe(["some other words"] * 3, 270).save(folder.parent / "tokenizer.json")


def _damaged(folder: Path) -> None:
    file = folder / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def _of_transformers(folder: Path) -> None:
    (folder / "manifest.json").unlink()


REFUSED: dict[str, tuple[Any, dict[str, str], type[CodexError], str]] = {
    "nothing": (shutil.rmtree, {}, MissingDataError, "no checkpoint in"),
    "a folder of transformers": (_of_transformers, {}, MissingDataError, "a folder of transformers, expected a checkpoint"),
    "a pickle": (lambda _: None, {"model.pretrained": "model.pt"}, DataError, "is a pickle, which can run code"),
    "damaged weights": (_damaged, {}, DamageError, "tensor `.*` is damaged"),
    "another tokenizer": (
        _other_tokenizer,
        {"tokens.tokenizer": "{source}/../tokenizer.json"},
        DamageError,
        "not the one that `.*` was trained with",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "keys", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_start_is_named_and_nothing_is_left(
    start: Any, source: Path, edit: Any, keys: dict[str, str], error: type[CodexError], message: str
) -> None:
    edit(source)
    loaded = start(**{key: value.format(source=source) for key, value in keys.items()})
    with pytest.raises(error, match=message):
        train(loaded)
    assert not list(Path(loaded.config.run.directory).glob("*"))


def test_a_resume_from_other_weights_is_refused(start: Any, whole: Summary) -> None:
    with pytest.raises(Interrupted):
        train(start(), progress=Talk(stop_at=5))
    with pytest.raises(
        ConfigError, match=r"`model\.pretrained` was .* the steps done began with other weights"
    ):
        train(start(**{"model.pretrained": whole.run}), resume=True)


def test_a_model_made_elsewhere_is_gone_on_with(start: Any, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = train_bpe(["def spam(eggs): return eggs\n"] * 3, 300)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.LlamaConfig(
        **sizes, max_position_embeddings=16, vocab_size=tokenizer.vocab_size, bos_token_id=0, eos_token_id=0
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path / "hf")
    tokenizer.save(tmp_path / "hf" / "tokenizer.json")
    with pytest.raises(MissingDataError) as caught:
        train(start(**{"model.pretrained": tmp_path / "hf"}))
    assert caught.value.hint == f"`codex checkpoint import {tmp_path / 'hf'} --out DIR` makes one"
    import_folder(tmp_path / "hf", tmp_path / "ours")
    summary = train(start(**{"model.pretrained": tmp_path / "ours", "train.max_steps": 3}))
    assert transformers.AutoModelForCausalLM.from_pretrained(summary.checkpoint).config.model_type == "llama"
