"""What `export` writes is what other tools open, with the same numbers; what it cannot say is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from codex.checkpoint import export, import_folder, load, save  # noqa: E402
from codex.errors import DamageError, DiskFullError, UsageError  # noqa: E402
from codex.file import FailPoints, read_manifest, safetensors_layout, verify_folder  # noqa: E402
from codex.models.names import tensor_shapes  # noqa: E402
from tests.checkpoint.trained import SHAPES, configured, drawn, prompt, save_model, tokenizer  # noqa: E402

TEXTS = ["def spam(x):\n    return 'häm'\n", "  \t\n", "1234 don't", "日本語 text", "<|endoftext|>"]


@pytest.fixture
def checkpoint(checkpoints: Path) -> Path:
    config = configured()
    return save_model(checkpoints, drawn(config), config)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_transformers_opens_an_export_with_equal_logits(
    shape: dict[str, Any], checkpoints: Path, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    config = configured(**shape)
    model = drawn(config)
    made = export(save_model(checkpoints, model, config), tmp_path / "hf", to="hf")
    assert made.files == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    theirs, report = transformers.AutoModelForCausalLM.from_pretrained(made.path, output_loading_info=True)
    llama = "Qwen3ForCausalLM" if config.model.qk_norm else "LlamaForCausalLM"
    assert type(theirs).__name__ == ("GPT2LMHeadModel" if config.model.name == "gpt2" else llama)
    assert not report["unexpected_keys"] and not report["mismatched_keys"]
    assert not set(report["missing_keys"]) - {"lm_head.weight"}
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(prompt()).logits, model(prompt()), rtol=0, atol=1e-5)
    words = transformers.AutoTokenizer.from_pretrained(made.path)
    for text in TEXTS:
        assert words(text)["input_ids"] == tokenizer().encode(text, "ids"), text


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_table_of_weights_is_that_of_the_modules(shape: dict[str, Any]) -> None:
    config = configured(**shape)
    found = {name: tuple(tensor.shape) for name, tensor in drawn(config).state_dict().items()}
    assert tensor_shapes(config.model, config.tokens.vocabulary_size) == found


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_stays_what_it_is(dtype: torch.dtype, checkpoints: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = configured()
    path = save_model(checkpoints, drawn(config), config, dtype=dtype)
    export(path, tmp_path / "hf", to="hf")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf").state_dict()
    for name, tensor in load(path).model.items():
        assert theirs[name].dtype == dtype and torch.equal(theirs[name], tensor), name


def test_shards_stay_shards_for_transformers_and_become_one_file_of_weights(
    checkpoints: Path, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    config = configured(tie_embeddings=False)
    model = drawn(config)
    path = save_model(checkpoints, model, config, shard_bytes=50_000)
    made = export(path, tmp_path / "hf", to="hf")
    shards = [name for name in made.files if name.startswith("model-")]
    assert len(shards) >= 3 and {*shards, "model.safetensors.index.json"} < {
        each.name for each in path.iterdir()
    }
    index = json.loads((tmp_path / "hf" / "model.safetensors.index.json").read_text())
    assert index == json.loads((path / "model.safetensors.index.json").read_text())
    theirs = transformers.AutoModelForCausalLM.from_pretrained(made.path).eval()
    with torch.no_grad():
        torch.testing.assert_close(theirs(prompt()).logits, model(prompt()), rtol=0, atol=1e-5)
    again = load(import_folder(made.path, tmp_path / "again").path)
    assert all(torch.equal(again.model[name], tensor) for name, tensor in model.state_dict().items())
    assert export(path, tmp_path / "one", to="safetensors").files == ["model.safetensors"]
    tensors, _, _ = safetensors_layout(tmp_path / "one" / "model.safetensors")
    assert {tensor.name for tensor in tensors} == model.state_dict().keys()


def test_one_file_of_weights_holds_every_name(checkpoints: Path, tmp_path: Path) -> None:
    opened = pytest.importorskip("safetensors.torch")
    shared = torch.arange(6.0).reshape(2, 3)
    model = {
        "embed": shared,
        "head": shared,
        "scale": torch.tensor(2.5, dtype=torch.float64),
        "none": torch.empty(0, 4),
    }
    path = save(checkpoints, 1, model=model, optimizer={}, state_tensors={}, state={}, files={})
    made = export(path, tmp_path / "weights", to="safetensors")
    found = opened.load_file(made.path / "model.safetensors")
    assert made.files == ["model.safetensors"] and made.tensors == 4
    assert found.keys() == model.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in model.items())


def test_an_export_verifies_and_names_its_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, tmp_path / "hf", to="hf")
    manifest = verify_folder(tmp_path / "hf")
    assert (manifest["kind"], manifest["parents"]) == ("model", [read_manifest(checkpoint)["digest"]])
    file = tmp_path / "hf" / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(DamageError, match=r"model\.safetensors"):
        verify_folder(tmp_path / "hf")


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_out_and_in_again_is_the_same_model(shape: dict[str, Any], checkpoints: Path, tmp_path: Path) -> None:
    config = configured(**shape)
    path = save_model(checkpoints, drawn(config), config)
    export(path, tmp_path / "hf", to="hf")
    again = load(import_folder(tmp_path / "hf", tmp_path / "again").path)
    before = load(path)
    assert again.state["config"]["model"] == before.state["config"]["model"]
    assert again.model.keys() == before.model.keys()
    assert all(torch.equal(again.model[name], tensor) for name, tensor in before.model.items())
    assert again.files["tokenizer.json"] == before.files["tokenizer.json"]


REFUSED = {
    "an option of a newer codex": (
        {"model": {"window": 128}}, UsageError, "`model.window` is 128, which no architecture in transformers has"
    ),
    "another architecture": ({"model": {"name": "mamba"}}, UsageError, "`model.name` is 'mamba', which"),
    "weights of another width": ({"model": {"width": 64}}, DamageError, "does not fit its configuration"),
    "no configuration": (None, DamageError, "holds no tokenizer or no configuration"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_transformers_cannot_hold_is_refused_by_name(
    edit: dict[str, Any] | None, error: type[Exception], message: str, checkpoints: Path, tmp_path: Path
) -> None:
    config = configured()
    known = config.model_dump(mode="json")
    state = {} if edit is None else {"config": {**known, "model": {**known["model"], **edit["model"]}}}
    files = {"tokenizer.json": tokenizer().to_json()}
    model = drawn(config).state_dict()
    path = save(checkpoints, 1, model=model, optimizer={}, state_tensors={}, state=state, files=files)
    with pytest.raises(error, match=message):
        export(path, tmp_path / "hf", to="hf")
    assert not (tmp_path / "hf").exists()
    export(path, tmp_path / "weights", to="safetensors")


def test_an_option_that_is_off_or_only_for_training_is_no_hindrance(
    checkpoints: Path, tmp_path: Path
) -> None:
    config = configured()
    known = config.model_dump(mode="json")
    section = {**known["model"], "dropout": 0.1, "window": None}
    path = save_model(checkpoints, drawn(config), config, state={"config": {**known, "model": section}})
    export(path, tmp_path / "hf", to="hf")
    assert json.loads((tmp_path / "hf" / "config.json").read_text())["model_type"] == "qwen3"


@pytest.mark.parametrize("to", ["hf", "safetensors"])
def test_damage_is_found_on_the_way_and_nothing_is_left(checkpoint: Path, tmp_path: Path, to: Any) -> None:
    file = checkpoint / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(DamageError, match=r"model\.safetensors`: tensor `model\..*` is damaged"):
        export(checkpoint, tmp_path / "out", to=to)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_only_an_export_is_replaced_and_only_when_asked(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(checkpoint, out, to="safetensors")
    with pytest.raises(UsageError, match="is there already"):
        export(checkpoint, out, to="hf")
    export(checkpoint, out, to="hf", overwrite=True)
    assert (out / "config.json").exists() and verify_folder(out)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    for place in (mine, mine / "thesis.txt", checkpoint, tmp_path):
        with pytest.raises(UsageError, match="is not an export, so it is not replaced"):
            export(checkpoint, place, to="hf", overwrite=True)
    assert (mine / "thesis.txt").read_text() == "years of work"
    empty = tmp_path / "empty"
    empty.mkdir()
    export(checkpoint, empty, to="safetensors")


def test_a_disk_that_fills_leaves_the_old_export_or_the_new(checkpoint: Path, tmp_path: Path) -> None:
    """At every system call that writes: the folder verifies, and is one of the two."""
    out = tmp_path / "out"
    export(checkpoint, out, to="safetensors")
    failures = 0
    for call in range(1, 200):
        with FailPoints(f"*=enospc@{call}") as points:
            try:
                export(checkpoint, out, to="hf", overwrite=True)
            except DiskFullError:
                failures += 1
            fired = points.fired
        assert verify_folder(out)["parameters"]["to"] in ("safetensors", "hf")
        if not fired:
            break
    assert failures >= 10 and verify_folder(out)["parameters"]["to"] == "hf"
