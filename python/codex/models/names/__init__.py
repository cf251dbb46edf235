"""What a codex model is called in transformers, and the way back.

The weights already carry the names transformers gives them; here are the `config.json` and `tokenizer_config.json` that
make a checkpoint open there, and the section `model` that a `config.json` from there means. One file per architecture
says both; nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from codex.errors import DataError, UsageError
from codex.models.names import gpt2, llama

if TYPE_CHECKING:
    from codex.models.causal import ModelConfig

__all__ = [
    "head_and_embedding",
    "is_named",
    "known_name",
    "model_section",
    "require_expressible",
    "tensor_shapes",
    "tokenizer_config",
    "transformers_config",
]

#: `model.name` -> how it is spelled there.
_SPELLINGS: dict[str, ModuleType] = {"gpt2": gpt2, "llama": llama}

#: Keys of `config.model` without effect once training is over.
_TRAINING_ONLY = frozenset({"dropout", "pretrained"})


def is_named(name: str) -> bool:
    """Whether transformers has an architecture for models of this `model.name`.

    >>> is_named("gpt2"), is_named("mine")
    (True, False)
    """
    return name in _SPELLINGS


def require_expressible(model: Mapping[str, Any]) -> None:
    """Refuse a model with an option that no architecture in transformers has.

    Args:
        model: the section `model` as a run recorded it; an option that is null, false or 0 is off.
    Raises:
        UsageError: naming the option.

    >>> require_expressible({"name": "llama", "window": 128})
    Traceback (most recent call last):
    codex.errors.UsageError: `model.window` is 128, which no architecture in transformers has
    """
    spelling = _SPELLINGS.get(model.get("name", ""))
    if spelling is None:
        raise UsageError(f"`model.name` is {model.get('name')!r}, which no architecture in transformers is")
    for key, value in model.items():
        if key not in spelling.EXPRESSED | _TRAINING_ONLY and value:
            raise UsageError(
                f"`model.{key}` is {value!r}, which no architecture in transformers has",
                hint="`--to safetensors` writes the weights alone",
            )


def transformers_config(
    config: ModelConfig, vocabulary_size: int, end_of_document_id: int, dtype: str = "float32"
) -> dict[str, Any]:
    """The content of `config.json`.

    Args:
        config: `config.model`, whose name `is_named`.
        vocabulary_size: rows of the embedding.
        end_of_document_id: the token that ends, and so also starts, every document.
        dtype: what the weights are stored as, in torch's words.

    >>> from codex.config.schema import Model
    >>> transformers_config(Model(), 300, 0)["model_type"]
    'qwen3'
    """
    named: dict[str, Any] = _SPELLINGS[config.name].config(config)
    return {
        **named,
        "bos_token_id": end_of_document_id,
        "eos_token_id": end_of_document_id,
        "pad_token_id": None,
        "initializer_range": 0.02,
        "tie_word_embeddings": config.tie_embeddings,
        "dtype": dtype,
        "use_cache": True,
        "vocab_size": vocabulary_size,
    }


def tokenizer_config(context: int) -> dict[str, Any]:
    """The content of `tokenizer_config.json`: take `tokenizer.json` as it is.

    Without it transformers would put the pre-tokenizer of Qwen in the place of ours.

    >>> tokenizer_config(256)["model_max_length"]
    256
    """
    end = "<|endoftext|>"
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end,
        "eos_token": end,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
    }


def tensor_shapes(config: ModelConfig, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of the model; a test holds them to the modules.

    >>> from codex.config.schema import Model
    >>> shapes = tensor_shapes(Model(width=8, layers=1, heads=1, key_value_heads=1), 300)
    >>> shapes["model.embed_tokens.weight"], len(shapes)
    ((300, 8), 13)
    """
    shapes: dict[str, tuple[int, ...]] = _SPELLINGS[config.name].tensor_shapes(config)
    head, embedding = head_and_embedding(config)
    vocabulary = (vocabulary_size, config.width)
    return {embedding: vocabulary, **({} if config.tie_embeddings else {head: vocabulary}), **shapes}


def head_and_embedding(config: ModelConfig) -> tuple[str, str]:
    """The names of the two weights that are one where `tie_embeddings` is set.

    >>> from codex.config.schema import Model
    >>> head_and_embedding(Model())
    ('lm_head.weight', 'model.embed_tokens.weight')
    """
    return "lm_head.weight", _SPELLINGS[config.name].EMBEDDING


def known_name(config: ModelConfig, name: str) -> str | None:
    """What a tensor of a folder made by others is called here; None for one that answers do not depend on.

    Old folders keep masks and frequencies beside the weights, and the first GPT-2 left `transformer.` out.

    >>> from codex.config.schema import Model
    >>> known_name(Model(name="gpt2", qk_norm=False), "wte.weight")
    'transformer.wte.weight'
    """
    known: str | None = _SPELLINGS[config.name].known_name(name)
    return known


def model_section(named: Mapping[str, Any]) -> dict[str, Any]:
    """The section `model` of a model whose `config.json` is `named`.

    Nothing is guessed: a key that is not known here is refused, because it may change what the weights compute.

    Raises:
        DataError: naming the key that a codex model cannot express, or that is missing.

    >>> sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=4)
    >>> model_section({"model_type": "llama", "intermediate_size": 8, "rms_norm_eps": 1e-5, **sizes})["width"]
    8
    >>> model_section({"model_type": "llama", "rope_scaling": {"rope_type": "yarn"}})
    Traceback (most recent call last):
    codex.errors.DataError: `rope_scaling` is {'rope_type': 'yarn'}, expected None: a codex model has nothing else
    """
    if "auto_map" in named:
        raise DataError("`auto_map` names code to run, and no code of a model folder is run here")
    kind = str(named.get("model_type"))
    for spelling in _SPELLINGS.values():
        if kind in spelling.MODEL_TYPES:
            section: dict[str, Any] = spelling.section(named)
            return section
    known = sorted(kind for spelling in _SPELLINGS.values() for kind in spelling.MODEL_TYPES)
    raise DataError(f"`model_type` is `{kind}`, expected one of {', '.join(known)}")
