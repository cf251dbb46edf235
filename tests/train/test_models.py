"""Every packaged model and one of another package go through the whole of `codex train`, in a tiny size."""

from __future__ import annotations

import importlib.metadata
import json
import math

import pytest
import torch
from torch import Tensor, nn

from codex.checkpoint import export
from codex.checkpoint import load as load_checkpoint
from codex.config import load, packaged_names
from codex.errors import UsageError
from codex.generate import LanguageModel
from codex.kernels.attention.documents import Documents
from codex.models.cache import Cache
from codex.models.causal import CausalModel, ModelConfig
from codex.models.names import tensor_shapes
from codex.train import train
from tests.train.tiny import TINY, Settings

#: The parameters of each packaged model; those of GPT-2 and TinyLlama are the published ones.
PARAMETERS = {
    "models/gpt2": 124_439_808,
    "models/llama-1.3b": 1_279_893_504,
    "models/llama-124m": 123_552_768,
    "models/minilm": 13_767_936,
    "models/tiny": 1_000_832,
    "models/tinyllama-1.1b": 1_100_048_384,
}


def test_every_packaged_model_is_here() -> None:
    assert [name for name in packaged_names() if name.startswith("models/")] == list(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_packaged_model_has_the_parameters_its_comment_says(name: str) -> None:
    config = load(name).config
    shapes = tensor_shapes(config.model, config.tokens.vocabulary_size)
    assert sum(math.prod(shape) for shape in shapes.values()) == PARAMETERS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_packaged_model_trains(name: str, settings: Settings) -> None:
    small = settings()
    keys = TINY | {"data.paths": f"[{small.config.data.paths[0]}]", "train.max_steps": "4"}
    model = load(name).config.model
    if model.heads == model.key_value_heads:
        keys["model.key_value_heads"] = keys["model.heads"]
    keys |= {"run.directory": small.config.run.directory, "train.accumulate_steps": "2"}
    summary = train(load(name, [f"{key}={value}" for key, value in keys.items()]))
    named = json.loads(load_checkpoint(summary.checkpoint).files["config.json"])
    kind = "gpt2" if name == "models/gpt2" else "llama" if name == "models/tinyllama-1.1b" else "qwen3"
    assert (summary.step, named["model_type"]) == (4, kind)
    assert summary.report.bits_per_byte < 8


class Bag(CausalModel):
    """A model of another package: the mean of the tokens seen so far."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__(config, vocabulary_size)
        self.words = nn.Embedding(vocabulary_size, config.width)
        self.lm_head = self.make_head()

    @property
    def embedding(self) -> nn.Embedding:
        return self.words

    def hidden(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        seen = self.words(tokens)
        if cache is not None:
            layer = cache.layers[0]
            seen = layer.extend(seen[:, :, None], seen[:, :, None])[0][:, :, 0]
        counts = torch.arange(1, seen.shape[1] + 1, device=seen.device)[:, None]
        means: Tensor = (seen.cumsum(dim=1) / counts)[:, -tokens.shape[1] :]
        return means


def test_a_model_of_another_package_trains_and_writes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = importlib.metadata.EntryPoint("bag", f"{__name__}:Bag", "codex.models")
    monkeypatch.setattr(
        "codex.registry.entry_points", lambda *, group: [point] if group == point.group else []
    )
    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda _: Bag)
    summary = train(settings(**{"model.name": "bag"}))
    model, path, _ = LanguageModel.open(summary.checkpoint)
    assert isinstance(model.model, Bag)
    settings_of_text = load("base", ["generate.max_tokens=5"]).config.generate
    assert model.continue_text("def ", settings_of_text, seed=1).tokens <= 5
    assert "config.json" not in load_checkpoint(path).files
    with pytest.raises(UsageError, match=r"`model\.name` is 'bag', which no architecture in transformers is"):
        export(path, path.parent / "hf", to="hf")
