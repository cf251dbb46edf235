"""What a codex model is called in transformers: the `config.json` and
`tokenizer_config.json` that make a checkpoint open there.

A Llama with QK-norm is transformers' `qwen3`, one without is its `llama`; the weights already carry their names.
"""

from __future__ import annotations

from typing import Any

from codex.models.llama import ModelConfig

__all__ = ["tokenizer_config", "transformers_config"]


def transformers_config(config: ModelConfig, vocabulary_size: int, end_of_document_id: int) -> dict[str, Any]:
    """The content of `config.json`.

    Args:
        config: `config.model`.
        vocabulary_size: rows of the embedding.
        end_of_document_id: the token that ends, and so also starts, every document.

    >>> from types import SimpleNamespace
    >>> sizes = dict(width=8, layers=1, heads=2, key_value_heads=2, context=4, feed_forward_width=8)
    >>> rest = dict(tie_embeddings=True, qk_norm=True, rope_theta=1e4, norm_epsilon=1e-6)
    >>> transformers_config(SimpleNamespace(name="llama", **sizes, **rest), 16, 0)["model_type"]
    'qwen3'
    """
    kind = "qwen3" if config.qk_norm else "llama"
    return {
        "architectures": ["Qwen3ForCausalLM" if config.qk_norm else "LlamaForCausalLM"],
        "model_type": kind,
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": end_of_document_id,
        "eos_token_id": end_of_document_id,
        "head_dim": config.width // config.heads,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "initializer_range": 0.02,
        "intermediate_size": config.feed_forward_width,
        "max_position_embeddings": config.context,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "num_key_value_heads": config.key_value_heads,
        "pad_token_id": None,
        "rms_norm_eps": config.norm_epsilon,
        "rope_parameters": {"rope_theta": config.rope_theta, "rope_type": "default"},
        "tie_word_embeddings": config.tie_embeddings,
        "dtype": "float32",
        "use_cache": True,
        "vocab_size": vocabulary_size,
        **({"mlp_bias": False} if kind == "llama" else {"use_sliding_window": False}),
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
