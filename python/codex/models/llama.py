"""A decoder like Llama's: RMSNorm, rotary positions, grouped-query attention with QK-norm, SwiGLU, tied embeddings.

B batch, T time, D width, H query heads, K key-value heads, V vocabulary. Weights carry the names transformers gives them
(`model.layers.0.self_attn.q_proj.weight`), so that a checkpoint opens there as `qwen3`, or as `llama` without QK-norm.
`Llama` is the type to start from.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codex.kernels import dispatch
from codex.kernels.attention.documents import Documents
from codex.models.cache import Cache, LayerCache
from codex.models.causal import CausalModel, ModelConfig

__all__ = ["Llama"]


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last axis.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization".
    """

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., width)."""
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), self.epsilon)


class Rotary(nn.Module):
    """Rotary positions: the angles of every position up to `context`, worked out once.

    Source: Su et al. 2021, "RoFormer"; pairs are (i, i + head_size / 2), as in transformers.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, head_size: int, context: int, theta: float) -> None:
        super().__init__()
        frequencies = theta ** -(torch.arange(0, head_size, 2, dtype=torch.float32) / head_size)
        angles = torch.arange(context, dtype=torch.float32)[:, None] * frequencies
        self.register_buffer(
            "cos", torch.cat([angles.cos(), angles.cos()], dim=-1)[:, None], persistent=False
        )
        self.register_buffer(
            "sin", torch.cat([-angles.sin(), angles.sin()], dim=-1)[:, None], persistent=False
        )

    def forward(self, x: Tensor, start: int) -> Tensor:
        """Turn x (B, T, heads, head size), whose first position is `start`."""
        cos, sin = self.cos[start : start + x.shape[1]], self.sin[start : start + x.shape[1]]
        first, second = x.chunk(2, dim=-1)
        return (x * cos + torch.cat([second, first], dim=-1) * sin).to(x.dtype)


class Attention(nn.Module):
    """Grouped-query attention with an RMSNorm over each query and key head where `qk_norm` is set.

    Source: Ainslie et al. 2023, "GQA"; QK-norm per head as in Qwen3 (Yang et al. 2025).
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_size = config.width // config.heads
        self.q_proj = nn.Linear(config.width, config.heads * self.head_size, bias=False)
        self.k_proj = nn.Linear(config.width, config.key_value_heads * self.head_size, bias=False)
        self.v_proj = nn.Linear(config.width, config.key_value_heads * self.head_size, bias=False)
        self.o_proj = nn.Linear(config.heads * self.head_size, config.width, bias=False)
        norm = config.qk_norm
        self.q_norm = RMSNorm(self.head_size, config.norm_epsilon) if norm else nn.Identity()
        self.k_norm = RMSNorm(self.head_size, config.norm_epsilon) if norm else nn.Identity()

    def forward(
        self, x: Tensor, rotary: Rotary, cache: LayerCache | None, documents: Documents | None
    ) -> Tensor:
        """x: (B, T, D), its positions following those in `cache`; returns (B, T, D)."""
        heads = (*x.shape[:2], -1, self.head_size)
        q = self.q_norm(self.q_proj(x).view(heads))
        k = self.k_norm(self.k_proj(x).view(heads))
        v = self.v_proj(x).view(heads)
        start = 0 if cache is None else cache.length
        q, k = rotary(q, start), rotary(k, start)
        if cache is not None:
            k, v = cache.extend(k, v)
        out: Tensor = self.o_proj(dispatch.attend(q, k, v, documents).flatten(2))
        return out


class MLP(nn.Module):
    """The gated feed-forward layer SwiGLU. Source: Shazeer 2020, "GLU Variants Improve Transformer"."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.feed_forward_width, bias=False)
        self.up_proj = nn.Linear(config.width, config.feed_forward_width, bias=False)
        self.down_proj = nn.Linear(config.feed_forward_width, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, T, D); returns (B, T, D)."""
        out: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Block(nn.Module):
    """One layer: attention, then the feed-forward layer, each added to what came in after a norm.

    While training, `dropout` of what is added is left out and the rest scaled up; torch's generator draws which.
    Source: Srivastava et al. 2014, "Dropout"; on the residual branches as in Vaswani et al. 2017, section 5.4.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.width, config.norm_epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.width, config.norm_epsilon)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(
        self, x: Tensor, rotary: Rotary, cache: LayerCache | None, documents: Documents | None
    ) -> Tensor:
        """x: (B, T, D); returns (B, T, D)."""
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), rotary, cache, documents))
        x = x + self.dropout(self.mlp(self.post_attention_layernorm(x)))
        return x

    def draw_as_identity(self) -> None:
        """Zero both output projections, so that the block adds nothing yet and the embedding is not drowned in noise."""
        nn.init.zeros_(self.self_attn.o_proj.weight)
        nn.init.zeros_(self.mlp.down_proj.weight)


class Decoder(nn.Module):
    """Embedding, layers and the last norm: everything but the head."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary_size, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)
        self.rotary = Rotary(config.width // config.heads, config.context, config.rope_theta)

    def forward(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        """tokens: (B, T) int64; returns hidden states (B, T, D)."""
        x: Tensor = self.embed_tokens(tokens)
        for index, layer in enumerate(self.layers):
            x = layer(x, self.rotary, None if cache is None else cache.layers[index], documents)
        x = self.norm(x)
        return x


class Llama(CausalModel):
    """The architecture of Touvron et al. 2023, "LLaMA"; see `CausalModel` for what it offers."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__(config, vocabulary_size)
        self.model = Decoder(config, vocabulary_size)
        self.lm_head = self.make_head()
        self.apply(_draw)

    @property
    def embedding(self) -> nn.Embedding:
        """The vectors of tokens: its weight is (V, D)."""
        return self.model.embed_tokens

    def hidden(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        """See `CausalModel.hidden`."""
        hidden: Tensor = self.model(tokens, cache, documents)
        return hidden


def _draw(module: nn.Module) -> None:
    """Normal weights: 0.02 for the embedding, 1 / sqrt(fan in) for matrices, so that activations keep their size."""
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=module.in_features**-0.5)
    elif isinstance(module, Block):  # comes after what is inside it
        module.draw_as_identity()
