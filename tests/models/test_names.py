"""A checkpoint's weights and `config.json` are a folder that transformers opens, with the same answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from codex.checkpoint import save
from codex.config.schema import Model
from codex.models.causal import CausalModel, ModelConfig
from codex.models.llama import Llama
from codex.models.names import tokenizer_config, transformers_config
from codex.tokens import train_bpe

transformers = pytest.importorskip("transformers")


def _folder(model: CausalModel, where: Path) -> Path:
    config = transformers_config(model.config, model.vocabulary_size, end_of_document_id=0)
    tokenizer = train_bpe(["def spam(eggs): return eggs  # häm\n"] * 3, 300)
    files = {
        "config.json": json.dumps(config).encode(),
        "tokenizer.json": tokenizer.to_json(),
        "tokenizer_config.json": json.dumps(tokenizer_config(model.context)).encode(),
    }
    return save(where, 1, model=model.state_dict(), optimizer={}, state_tensors={}, state={}, files=files)


def _class_of(config: ModelConfig) -> str:
    if config.name == "gpt2":
        return "GPT2LMHeadModel"
    return "Qwen3ForCausalLM" if config.qk_norm else "LlamaForCausalLM"


def test_transformers_gives_the_same_logits(
    model: CausalModel, tokens: Callable[[int, int], torch.Tensor], tmp_path: Path
) -> None:
    folder = _folder(model, tmp_path)
    theirs, report = transformers.AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert type(theirs).__name__ == _class_of(model.config)
    assert not report["unexpected_keys"] and not report["mismatched_keys"]
    assert not set(report["missing_keys"]) - {"lm_head.weight"}
    text = tokens(2, 24)
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(text).logits, model(text), rtol=0, atol=1e-5)


def test_transformers_tokenizes_alike(tmp_path: Path) -> None:
    model = Llama(Model(width=8, layers=1, heads=1, key_value_heads=1, feed_forward_width=8), 300)
    folder = _folder(model, tmp_path)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    ours = train_bpe(["def spam(eggs): return eggs  # häm\n"] * 3, 300)
    for text in ("def spam(x):\n    return 'häm'\n", "  \t\n", "1234 don't", "日本語 text"):
        assert theirs(text)["input_ids"] == ours.encode(text), text
        assert theirs.decode(theirs(text)["input_ids"]) == text
    assert theirs.eos_token_id == ours.end_of_document_id


def test_every_size_of_the_configuration_is_named(config: Model) -> None:
    named = transformers_config(config, 300, 0)
    if config.name == "gpt2":
        expected = {
            "n_embd": config.width,
            "n_layer": config.layers,
            "n_head": config.heads,
            "n_positions": config.context,
            "n_inner": config.feed_forward_width,
            "layer_norm_epsilon": config.norm_epsilon,
        }
    else:
        expected = {
            "hidden_size": config.width,
            "num_hidden_layers": config.layers,
            "num_attention_heads": config.heads,
            "num_key_value_heads": config.key_value_heads,
            "max_position_embeddings": config.context,
            "intermediate_size": config.feed_forward_width,
            "rms_norm_eps": config.norm_epsilon,
            "rope_parameters": {"rope_theta": config.rope_theta, "rope_type": "default"},
        }
    expected |= {"tie_word_embeddings": config.tie_embeddings, "vocab_size": 300}
    assert {key: named[key] for key in expected} == expected
