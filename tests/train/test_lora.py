"""Runs that learn an adapter: what they keep, that they are exact, and that peft opens it with equal answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from codex import checkpoint
from codex.checkpoint import export, load_whole, merge_adapter, pin, save
from codex.config import LoadedConfig, load
from codex.errors import CodexError, ConfigError, DamageError, Interrupted, MissingDataError, UsageError
from codex.file import read_manifest
from codex.generate import LanguageModel
from codex.models import build
from codex.train import Summary, train
from codex.train.plan import plan_run
from codex.train.pretrained import adopt
from codex.train.progress import Silent
from tests.checkpoint.trained import SHAPES, configured, drawn, prompt, save_model
from tests.train.tiny import TINY, Talk, assert_same_end, write_corpus

pytest.importorskip("peft", reason="needs the extra `hf`")

#: The tiny run without what a checkpoint says, and faster to learn.
KEYS = {key: value for key, value in TINY.items() if not key.startswith(("model.", "tokens."))}
KEYS |= {"train.adam_learning_rate": "0.01", "run.name": "tuned", "adapt.rank": "4"}

Start = Callable[..., LoadedConfig]


@pytest.fixture
def bases(tmp_path: Path) -> Callable[[str], Path]:
    """`bases("gpt2")`: a checkpoint of that shape."""

    def make(shape: str) -> Path:
        config = configured(**SHAPES[shape])
        return save_model(tmp_path / "base" / "checkpoints", drawn(config), config)

    return make


@pytest.fixture
def start(bases: Callable[[str], Path], tmp_path: Path) -> Start:
    write_corpus(tmp_path / "text", files=8)

    def make(where: str = "runs", **changes: object) -> LoadedConfig:
        keys = KEYS | {"data.paths": f"[{tmp_path / 'text'}]", "run.directory": str(tmp_path / where)}
        keys |= {"model.pretrained": changes.pop("base", None) or bases("tied"), **changes}
        return load("lora", [f"{key}={value}" for key, value in keys.items()])

    return make


RUNS: dict[str, tuple[str, dict[str, object], dict[str, Any]]] = {
    "a Llama": ("grouped", {}, {"r": 4, "lora_alpha": 32, "use_dora": False, "use_rslora": False}),
    "without QK-norm": (
        "without QK-norm",
        {"adapt.rank_stabilized": True, "adapt.alpha": 7},
        {"lora_alpha": 7, "use_rslora": True},
    ),
    "a GPT-2": ("gpt2", {"adapt.weight_decomposed": True}, {"use_dora": True, "fan_in_fan_out": True}),
    "some matrices": (
        "untied",
        {"adapt.targets": "[q_proj, up_proj]", "adapt.dropout": 0.25},
        {"target_modules": ["q_proj", "up_proj"], "lora_dropout": 0.25},
    ),
}


@pytest.mark.filterwarnings(
    "ignore:.*is_gradient_checkpointing:FutureWarning"
)  # peft asks transformers 5 for it
@pytest.mark.parametrize(("shape", "keys", "named"), RUNS.values(), ids=RUNS)
def test_what_is_learned_is_the_adapter_and_peft_opens_it_with_equal_logits(
    shape: str, keys: dict[str, object], named: dict[str, Any], start: Start, bases: Any, tmp_path: Path
) -> None:
    import peft
    import transformers

    base = bases(shape)
    kept = {path.name: path.read_bytes() for path in base.iterdir()}
    summary = train(start(base=base, **keys))
    assert {path.name: path.read_bytes() for path in base.iterdir()} == kept

    files = json.loads((summary.checkpoint / "manifest.json").read_text())
    assert base_digest(summary.checkpoint) == read_manifest(base)["digest"] in files["parents"]
    assert not (summary.checkpoint / "model.safetensors").exists()
    tensors = checkpoint.load(summary.checkpoint).model
    assert all(".lora_" in name for name in tensors)
    assert summary.learned_parameters == sum(tensor.numel() for tensor in tensors.values())
    assert any(f"{summary.learned_parameters:,} of them learned" in line for line in summary.lines())

    exported = export(summary.checkpoint, tmp_path / "peft", to="peft")
    settings = json.loads((exported.path / "adapter_config.json").read_text())
    assert settings | named == settings and settings["base_model_name_or_path"] == str(base)
    merged = merge_adapter(summary.checkpoint, tmp_path / "merged")
    ours = LanguageModel.open(summary.run)[0].model(prompt())
    assert torch.equal(LanguageModel.open(merged)[0].model(prompt()), ours)
    plain = transformers.AutoModelForCausalLM.from_pretrained(
        export(base, tmp_path / "base-hf", to="hf").path
    )
    with torch.no_grad():
        assert (plain(prompt()).logits - ours).abs().max() > 1e-3
        for folder in (exported.path, summary.checkpoint):
            theirs = peft.PeftModel.from_pretrained(plain, folder).eval()
            torch.testing.assert_close(theirs(prompt()).logits, ours, rtol=0, atol=1e-5)
            plain = theirs.unload()
        whole = transformers.AutoModelForCausalLM.from_pretrained(
            export(merged, tmp_path / "hf", to="hf").path
        )
        torch.testing.assert_close(whole(prompt()).logits, ours, rtol=0, atol=1e-5)


def base_digest(adapter: Path) -> str:
    digest: str = checkpoint.load(adapter, parts=()).state["adapter"]["base"]
    return digest


def test_killed_and_resumed_it_ends_with_the_same_bytes(start: Start) -> None:
    keys = {"adapt.dropout": 0.2, "model.dropout": 0.1}
    one = train(start("whole", **keys))
    with pytest.raises(Interrupted):
        train(start("broken", **keys), progress=Talk(stop_at=5))
    other = train(start("broken", **keys), resume=True)
    assert other.first_step == 5
    assert_same_end(one.run, other.run)


def test_dropout_is_drawn_while_training_alone(start: Start) -> None:
    first = [train(start(str(share), **{"adapt.dropout": share})).report for share in (0.0, 0.5)]
    assert first[0].bits_per_byte != first[1].bits_per_byte


def test_a_resume_takes_what_it_was_learned_on_though_that_run_went_on(start: Start, tmp_path: Path) -> None:
    loaded = start()
    run = tmp_path / "base"
    pin(Path(loaded.config.model.pretrained or ""))
    loaded = start(base=run)
    with pytest.raises(Interrupted):
        train(loaded, progress=Talk(stop_at=5))
    config = configured()
    save_model(run / "checkpoints", build(config.model, config.tokens.vocabulary_size), config, step=2)
    talk = Talk()
    summary = train(loaded, resume=True, progress=talk)
    assert f"weights of step 1 of `{run}`" in talk.lines
    assert LanguageModel.open(summary.run)
    shutil.rmtree(run / "checkpoints" / "step-00000001")
    with pytest.raises(MissingDataError, match="the weights that the adapter was learned on are not at"):
        LanguageModel.open(summary.run)


def test_another_shape_of_adapter_is_refused_and_another_dropout_on_request_only(start: Start) -> None:
    with pytest.raises(Interrupted):
        train(start(), progress=Talk(stop_at=5))
    with pytest.raises(
        ConfigError, match=r"`adapt.rank` was 4, is 8 \(it cannot change: the adapter would be"
    ):
        train(start(**{"adapt.rank": 8}), resume=True, allow_changes=True)
    with pytest.raises(ConfigError, match=r"`adapt.dropout` was 0.0, is 0.5$"):
        train(start(**{"adapt.dropout": 0.5}), resume=True)
    train(start(**{"adapt.dropout": 0.5}), resume=True, allow_changes=True)


@pytest.mark.parametrize("decomposed", [False, True])
def test_the_plan_counts_gradients_and_checkpoints_of_the_adapter(start: Start, decomposed: bool) -> None:
    loaded = start(**{"adapt.weight_decomposed": decomposed})
    plan = plan_run(adopt(loaded).config, "tuned", Silent())
    learned = train(loaded).learned_parameters
    assert plan.memory.gradients == 4 * learned and plan.memory.weights == 4 * plan.parameters
    assert plan.memory.optimizer == 2 * plan.memory.gradients
    assert plan.checkpoint_bytes == 3 * plan.memory.gradients


REFUSED: dict[str, tuple[dict[str, object], type[CodexError], str]] = {
    "no weights": ({"model.pretrained": "null"}, ConfigError, "`adapt.lora` is true and `model.pretrained` null"),
    "muon": ({"train.optimizer": "muon"}, ConfigError, "`adapt.lora` is true and `train.optimizer` is `muon`, expected `adamw`"),
    "targets": ({"adapt.targets": "[c_attn, v_proj]"}, ConfigError, "`adapt.targets` names `c_attn`, which is no matrix"),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_adapted_is_refused_before_any_work(
    start: Start, tmp_path: Path, keys: dict[str, object], error: type[CodexError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        train(start(**keys))
    assert caught.value.exit_code == 2 and caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_an_adapter_is_no_model_and_a_model_no_adapter(start: Start, tmp_path: Path) -> None:
    loaded = start(**{"train.max_steps": 1})
    adapter = train(loaded).checkpoint
    for kind in ("hf", "safetensors"):
        with pytest.raises(UsageError, match="holds an adapter, which is no model of its own") as caught:
            export(adapter, tmp_path / "out", to=kind)
        assert f"codex checkpoint merge {adapter} --out DIR" in str(caught.value.hint)
    base = Path(loaded.config.model.pretrained or "")
    with pytest.raises(UsageError, match="holds a whole model, expected an adapter"):
        export(base, tmp_path / "out", to="peft")
    with pytest.raises(UsageError, match="holds a whole model, expected an adapter"):
        merge_adapter(base, tmp_path / "out")
    with pytest.raises(DamageError, match="holds an adapter, expected the weights of a whole model"):
        train(start(base=adapter))
    assert not (tmp_path / "out").exists()


def test_a_merge_replaces_nothing_unasked_and_is_no_run_to_go_on_with(start: Start, tmp_path: Path) -> None:
    adapter = train(start(**{"train.max_steps": 1})).checkpoint
    merged = merge_adapter(adapter, tmp_path / "merged")
    with pytest.raises(UsageError, match="is there already"):
        merge_adapter(adapter, tmp_path / "merged")
    assert merge_adapter(adapter, tmp_path / "merged", overwrite=True) == merged
    assert sorted(read_manifest(merged)["parents"]) == sorted(
        [read_manifest(adapter)["digest"], base_digest(adapter)]
    )
    with pytest.raises(DamageError, match="was merged: it holds weights, but no optimizer"):
        train(start(base=merged), resume_from=merged)
    assert train(start("again", base=merged, **{"train.max_steps": 1})).learned_parameters


def test_an_adapter_that_does_not_say_what_it_was_learned_on_is_damaged(tmp_path: Path) -> None:
    path = save(
        tmp_path,
        1,
        model={},
        optimizer={},
        state_tensors={},
        state={"config": {"model": {"pretrained": "x"}}},
        files={"adapter_config.json": b"{}"},
    )
    with pytest.raises(DamageError, match="lacks 'adapter', expected that of an adapter"):
        load_whole(path)


def test_the_commands_say_what_they_made(start: Start, tmp_path: Path, codex: Any) -> None:
    summary = train(start(**{"train.max_steps": 1}))
    made = codex("checkpoint", "merge", str(summary.run), "--out", "merged")
    assert made.returncode == 0, made.stderr
    assert made.stdout == f"merged/step-00000001: {summary.checkpoint} and its weights\n"
    assert codex("checkpoint", "verify", "merged").returncode == 0
    exported = codex("checkpoint", "export", str(summary.run), "--to", "peft", "--out", "peft", "--json")
    assert json.loads(exported.stdout)["files"] == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_summary_of_a_whole_model_says_no_more_than_before(whole: Summary) -> None:
    assert whole.learned_parameters == whole.parameters
    assert not any("learned" in line for line in whole.lines())
