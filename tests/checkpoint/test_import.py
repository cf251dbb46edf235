"""A Hugging Face folder becomes a checkpoint with the same numbers, or is refused with the reason."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")
transformers = pytest.importorskip("transformers")

from codex.checkpoint import Imported, import_folder, load, verify  # noqa: E402
from codex.cli.app import run  # noqa: E402
from codex.errors import CodexError, DamageError, DataError, MissingDataError, UsageError  # noqa: E402
from codex.file import read_manifest  # noqa: E402
from codex.generate import LanguageModel  # noqa: E402
from tests.checkpoint.trained import prompt, tokenizer  # noqa: E402

Edit = Callable[[Path], object]

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "head_dim": 8,
}
GPT2_SIZES = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
KINDS = {
    "llama": ("LlamaConfig", {}),
    "tied llama": ("LlamaConfig", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3Config", {}),
    "tied qwen3": ("Qwen3Config", {"tie_word_embeddings": True, "rms_norm_eps": 1e-5}),
    "gpt2": ("GPT2Config", {"n_inner": 48}),
    "untied gpt2": ("GPT2Config", {"tie_word_embeddings": False, "layer_norm_epsilon": 1e-6}),
}


def theirs(where: Path, kind: str = "llama", *, shard: str = "5GB", dtype: Any = None, **keys: Any) -> Any:
    """A model made by transformers, and saved by it in `where`, beside a tokenizer."""
    name, special = KINDS[kind]
    torch.manual_seed(7)
    sizes = GPT2_SIZES if name == "GPT2Config" else SIZES
    config = getattr(transformers, name)(**sizes, vocab_size=tokenizer().vocab_size, **special, **keys)
    model = transformers.AutoModelForCausalLM.from_config(config).eval().to(dtype or torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.save_pretrained(where, max_shard_size=shard)
    tokenizer().save(where / "tokenizer.json")
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    theirs(tmp_path / "hf", "tied qwen3")
    return tmp_path / "hf"


@pytest.mark.parametrize("shard", ["5GB", "20KB"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_import_answers_as_transformers_does(kind: str, shard: str, tmp_path: Path) -> None:
    rope = {} if "gpt2" in kind else {"rope_theta": 5e5}
    model = theirs(tmp_path / "hf", kind, shard=shard, **rope)
    assert (tmp_path / "hf" / "model.safetensors.index.json").exists() == (shard == "20KB")
    made = import_folder(tmp_path / "hf", tmp_path / "ours")
    verify(made.path)
    ours, path, state = LanguageModel.open(tmp_path / "ours")
    section = state["config"]["model"]
    assert (path, state["step"], section["rope_theta"]) == (made.path, 0, rope.get("rope_theta", 1e4))
    with torch.no_grad():
        torch.testing.assert_close(ours.model(prompt()), model(prompt()).logits, rtol=0, atol=1e-5)


def test_the_sources_are_its_parents(tmp_path: Path) -> None:
    theirs(tmp_path / "hf", shard="20KB")
    (tmp_path / "hf" / "README.md").write_text("a model")
    made = import_folder(tmp_path / "hf", tmp_path / "ours")
    wanted = {
        path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in (tmp_path / "hf").iterdir()
        if path.name not in ("README.md", "generation_config.json")
    }
    assert made.sources == wanted and len(wanted) > 4
    assert read_manifest(made.path)["parents"] == sorted(set(wanted.values()))
    assert load(made.path).state["imported"] == wanted
    assert made.unread == ["README.md", "generation_config.json"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_widens_without_loss(dtype: Any, tmp_path: Path) -> None:
    state = theirs(tmp_path / "hf", dtype=dtype).state_dict()
    ours = load(import_folder(tmp_path / "hf", tmp_path / "ours").path).model
    assert all(tensor.dtype == torch.float32 for tensor in ours.values())
    assert all(torch.equal(tensor.to(dtype), state[name]) for name, tensor in ours.items())


def test_a_head_stored_beside_the_embedding_it_is_tied_to(folder: Path, tmp_path: Path) -> None:
    official = pytest.importorskip("safetensors.torch")
    file = folder / "model.safetensors"
    tensors = official.load_file(file)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    official.save_file(tensors, file, {"format": "pt"})
    assert import_folder(folder, tmp_path / "ours").tensors == len(tensors) - 1
    tensors["lm_head.weight"][0, 0] += 1
    official.save_file(tensors, file, {"format": "pt"})
    with pytest.raises(DataError, match=r"`lm_head\.weight` is not the embedding, but `tie_word_embeddings`"):
        import_folder(folder, tmp_path / "other")


def test_gpt2_as_it_was_first_published_left_a_prefix_out_and_kept_its_masks(tmp_path: Path) -> None:
    official = pytest.importorskip("safetensors.torch")
    model = theirs(tmp_path / "hf", "gpt2")
    file = tmp_path / "hf" / "model.safetensors"
    found = official.load_file(file)
    old = {name.removeprefix("transformer."): tensor for name, tensor in found.items()}
    masks = {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril() for layer in range(2)}
    official.save_file({**old, **masks}, file, {"format": "pt"})
    ours, _, _ = LanguageModel.open(import_folder(tmp_path / "hf", tmp_path / "ours").path)
    with torch.no_grad():
        torch.testing.assert_close(ours.model(prompt()), model(prompt()).logits, rtol=0, atol=1e-5)
    official.save_file({**old, "transformer.wte.weight": old["wte.weight"].clone()}, file, {"format": "pt"})
    with pytest.raises(DamageError, match=r"`transformer\.wte\.weight` is there twice"):
        import_folder(tmp_path / "hf", tmp_path / "other")


def test_links_are_followed_as_they_lie_in_the_cache_of_the_hub(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "snapshot").mkdir()
    for file in folder.iterdir():
        (tmp_path / "snapshot" / file.name).symlink_to(file)
    linked = import_folder(tmp_path / "snapshot", tmp_path / "a")
    assert linked.sources == import_folder(folder, tmp_path / "b").sources


def test_generate_writes_with_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["checkpoint", "import", "hf", "--out", "ours"]) == 0
    capfd.readouterr()
    words = ["generate", "--from", "ours", "--prompt", "def ", "generate.max_tokens=5", "--json"]
    assert run(words) == 0
    answer = json.loads(capfd.readouterr().out)
    assert (answer["step"], answer["prompt"]) == (0, "def ") and answer["tokens"] <= 5


def test_generate_opens_no_pickle(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"cos\nsystem\n")
    with pytest.raises(DataError, match=r"model\.pt` is a pickle, which can run code"):
        LanguageModel.open(tmp_path / "model.pt")


def config(**keys: Any) -> Edit:
    """Changes `config.json`; a value of None takes the key away."""

    def edit(folder: Path) -> None:
        path = folder / "config.json"
        named = {**json.loads(path.read_text()), **keys}
        path.write_text(json.dumps({key: value for key, value in named.items() if value is not None}))

    return edit


def index(**places: str) -> Edit:
    """Saves in shards, and changes what the index says of some tensors."""

    def edit(folder: Path) -> None:
        shutil.rmtree(folder)
        theirs(folder, shard="20KB")
        path = folder / "model.safetensors.index.json"
        content = json.loads(path.read_text())
        content["weight_map"].update(places)
        path.write_text(json.dumps(content))

    return edit


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def remove(name: str) -> Edit:
    return lambda folder: (folder / name).unlink()


def text(content: str) -> Edit:
    return lambda folder: (folder / "config.json").write_text(content)


def pickled(name: str) -> Edit:
    return lambda folder: (folder / "model.safetensors").rename(folder / name)


def tensors(edit: Callable[[dict[str, Any]], object]) -> Edit:
    def change(folder: Path) -> None:
        official = pytest.importorskip("safetensors.torch")
        found = official.load_file(folder / "model.safetensors")
        edit(found)
        official.save_file(found, folder / "model.safetensors", {"format": "pt"})

    return change


NORM = "model.norm.weight"
REFUSED: dict[str, tuple[Edit, type[CodexError], str]] = {
    "another architecture": (config(model_type="mamba"), DataError, "`model_type` is `mamba`, expected one of gpt2, ll"),
    "a name that does not fit": (config(architectures=["GPT2"]), DataError, "`architectures` is 'GPT2', expected 'Qwen3"),
    "code to run": (config(auto_map={"AutoModel": "x.Y"}), DataError, "`auto_map` names code to run"),
    "trust in code": (config(trust_remote_code=True), DataError, "`trust_remote_code` is not a key"),
    "an unknown key": (config(residual_scale=2), DataError, "`residual_scale` is not a key that a codex model can express"),
    "rope scaling": (config(rope_scaling={"type": "yarn"}), DataError, "`rope_scaling` is {'type': 'yarn'}"),
    "rope scaling of now": (
        config(rope_parameters={"rope_theta": 1e4, "rope_type": "llama3", "factor": 8}),
        DataError,
        "`rope_parameters.rope_type` is 'llama3', expected 'default'",
    ),
    "a part of a head": (config(partial_rotary_factor=0.5), DataError, "`partial_rotary_factor` is 0.5"),
    "a bias": (config(attention_bias=True), DataError, "`attention_bias` is True"),
    "a bias in the MLP": (config(mlp_bias=True), DataError, "`mlp_bias` is True"),
    "another activation": (config(hidden_act="gelu"), DataError, "`hidden_act` is 'gelu'"),
    "a sliding window": (config(use_sliding_window=True), DataError, "`use_sliding_window` is True"),
    "a layer of another kind": (
        config(layer_types=["full_attention", "sliding_attention"]), DataError, r"`layer_types\[1\]` is 'sliding_att"
    ),
    "heads of another size": (config(head_dim=16), DataError, "`head_dim` is 16, expected 8"),
    "quantized weights": (config(quantization_config={"bits": 4}), DataError, "`quantization_config` is {'bits': 4}"),
    "a size that is missing": (config(hidden_size=None), DataError, "`hidden_size` is None, expected a number above 0"),
    "a size that is text": (config(num_hidden_layers="2"), DataError, "`num_hidden_layers` is '2', expected a number"),
    "a size out of range": (config(max_position_embeddings=1), DataError, "`model.context`: Input should be"),
    "another vocabulary": (config(vocab_size=301), DataError, "`vocab_size` is 301, expected"),
    "a damaged config": (text("{"), DamageError, "is not JSON"),
    "a list for a config": (text("[]"), DamageError, "is not a JSON object"),
    "no config": (remove("config.json"), MissingDataError, "holds no `config.json`"),
    "no tokenizer": (remove("tokenizer.json"), MissingDataError, "holds no `tokenizer.json`"),
    "no weights": (remove("model.safetensors"), MissingDataError, "holds neither `model.safetensors` nor"),
    "weights that end early": (cut, DamageError, r"model\.safetensors"),
    "pickled weights": (pickled("pytorch_model.bin"), DataError, r"pytorch_model\.bin` is a pickle, which can run code"),
    "a pickled checkpoint": (pickled("last.ckpt"), DataError, r"last\.ckpt` is a pickle"),
    "a pickle in capitals": (pickled("MODEL.PT"), DataError, r"MODEL\.PT` is a pickle"),
    "an unknown tensor": (
        tensors(lambda found: found.update(bias=torch.ones(2))), DataError, "tensor `bias` has no place in a codex model"
    ),
    "a missing tensor": (tensors(lambda found: found.pop(NORM)), DamageError, f"tensor `{NORM}` is missing"),
    "another shape": (
        tensors(lambda found: found.update({NORM: torch.ones(4)})), DamageError, rf"tensor `{NORM}` is \[4\], expected \[32\]"
    ),
    "another dtype": (
        tensors(lambda found: found.update({NORM: torch.ones(32, dtype=torch.float64)})), DataError, f"tensor `{NORM}` is F64"
    ),
    "an index that leaves the folder": (
        index(**{NORM: "../secret.safetensors"}), DataError, r"said to lie in `\.\./secret\.safetensors`"
    ),
    "an index that names a pickle": (index(**{NORM: "model.bin"}), DataError, r"said to lie in `model\.bin`"),
    "an index of a file that is missing": (index(**{NORM: "a.safetensors"}), MissingDataError, r"a\.safetensors"),
    "an index of a tensor that is missing": (
        index(extra="model-00001-of-00006.safetensors"), DamageError, "tensor `extra` is not where"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_codex_model_cannot_be_is_refused_by_name(
    edit: Edit, error: type[CodexError], message: str, folder: Path, tmp_path: Path
) -> None:
    edit(folder)
    with pytest.raises(error, match=message):
        import_folder(folder, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_a_place_that_is_taken_is_kept_unless_told_otherwise(folder: Path, tmp_path: Path) -> None:
    first: Imported = import_folder(folder, tmp_path / "ours")
    with pytest.raises(UsageError, match="step-00000000` is there already"):
        import_folder(folder, tmp_path / "ours")
    shutil.rmtree(folder)
    theirs(folder, "llama")
    import_folder(folder, tmp_path / "ours", overwrite=True)
    assert "lm_head.weight" in load(first.path).model


def test_a_path_that_is_no_folder_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "model.pth").write_bytes(b"")
    for name, error, message in (
        ("nowhere", MissingDataError, "no folder is at"),
        ("model.safetensors", DataError, "is a file, expected the folder of a model"),
        ("model.pth", DataError, "is a pickle"),
    ):
        with pytest.raises(error, match=message):
            import_folder(tmp_path / name, tmp_path / "ours")
