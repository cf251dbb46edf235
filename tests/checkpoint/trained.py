"""A small model with a tokenizer, saved as training saves one: what interop, import and commands are tried on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from codex.checkpoint import save
from codex.config.schema import Config, Evaluate, Model, Tokens
from codex.models import build
from codex.models.causal import CausalModel
from codex.models.names import tokenizer_config, transformers_config
from codex.tokens import Tokenizer, train_bpe

VOCABULARY = 300
SHAPES: dict[str, dict[str, Any]] = {
    "tied": {},
    "untied": {"tie_embeddings": False},
    "without QK-norm": {"qk_norm": False},
    "untied, without QK-norm": {"tie_embeddings": False, "qk_norm": False},
    "gpt2": {"name": "gpt2", "qk_norm": False, "norm_epsilon": 1e-5},
    "grouped": {"heads": 4, "key_value_heads": 2, "rope_theta": 5e5, "norm_epsilon": 1e-5},
}
_SIZES = {"width": 32, "layers": 2, "heads": 2, "key_value_heads": 2, "context": 24, "feed_forward_width": 48}


def tokenizer() -> Tokenizer:
    return train_bpe(["def spam(eggs): return eggs  # häm and eggs, jam and bread\n"] * 3, VOCABULARY)


def configured(**shape: Any) -> Config:
    """A whole configuration around a small model."""
    model = Model(**{**_SIZES, **shape})
    tokens = Tokens(vocabulary_size=tokenizer().vocab_size)
    return Config(model=model, tokens=tokens, evaluate=Evaluate(stride=model.context))


def drawn(config: Config) -> CausalModel:
    """A model whose norms are not all ones and whose blocks all matter, so that a forgotten weight shows."""
    torch.manual_seed(3)
    model = build(config.model, config.tokens.vocabulary_size)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.eval()


def save_model(
    checkpoints: Path,
    model: CausalModel,
    config: Config,
    *,
    step: int = 1,
    dtype: torch.dtype = torch.float32,
    **rest: Any,
) -> Path:
    """The checkpoint of `model`; `rest` goes to `save`, its `state` beside the configuration."""
    text = tokenizer()
    named = transformers_config(config.model, text.vocab_size, text.end_of_document_id)
    files = {
        "config.json": json.dumps(named).encode(),
        "tokenizer.json": text.to_json(),
        "tokenizer_config.json": json.dumps(tokenizer_config(config.model.context)).encode(),
    }
    return save(
        checkpoints,
        step,
        model={name: tensor.to(dtype) for name, tensor in model.state_dict().items()},
        optimizer={"momentum.x": torch.full((4,), float(step))},
        state_tensors={},
        state={"config": config.model_dump(mode="json"), **rest.pop("state", {})},
        files=files,
        **rest,
    )


def prompt(rows: int = 2, length: int = 24) -> torch.Tensor:
    """Tokens to ask a model about: (rows, length)."""
    random = torch.Generator().manual_seed(5)
    return torch.randint(tokenizer().vocab_size, (rows, length), generator=random)
