"""GPT-2: learned positions, LayerNorm before each half of a layer, GELU, a bias everywhere.

B batch, T time, D width, H heads, V vocabulary. Weights carry the names and the (in, out) layout transformers gives them
(`transformer.h.0.attn.c_attn.weight`), so that a checkpoint opens there as `gpt2`. `GPT2` is the type to start from.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from codex.kernels import dispatch
from codex.kernels.attention.documents import Documents
from codex.models.cache import Cache, LayerCache
from codex.models.causal import CausalModel, ModelConfig

__all__ = ["GPT2"]


class Projection(nn.Module):
    """x W + b with W (in, out): the transpose of what `nn.Linear` holds."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.in_features, self.out_features = width_in, width_out
        self.weight = nn.Parameter(torch.empty(width_in, width_out))
        self.bias = nn.Parameter(torch.zeros(width_out))

    def forward(self, x: Tensor) -> Tensor:
        """x: (..., in); returns (..., out)."""
        return F.linear(x, self.weight.t(), self.bias)


class Attention(nn.Module):
    """As many key-value heads as heads; queries, keys and values come of one matrix."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.c_attn = Projection(config.width, 3 * config.width)
        self.c_proj = Projection(config.width, config.width)

    def forward(self, x: Tensor, cache: LayerCache | None, documents: Documents | None) -> Tensor:
        """x: (B, T, D), its positions following those in `cache`; returns (B, T, D)."""
        q, k, v = (part.unflatten(2, (self.heads, -1)) for part in self.c_attn(x).chunk(3, dim=2))
        if cache is not None:
            k, v = cache.extend(k, v)
        out: Tensor = self.c_proj(dispatch.attend(q, k, v, documents).flatten(2))
        return out


class MLP(nn.Module):
    """The feed-forward layer: GELU in its tanh form. Source: Hendrycks and Gimpel 2016, "GELUs", section 2."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.c_fc = Projection(config.width, config.feed_forward_width)
        self.c_proj = Projection(config.feed_forward_width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, T, D); returns (B, T, D)."""
        out: Tensor = self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))
        return out


class Block(nn.Module):
    """One layer: attention, then the feed-forward layer, each added to what came in after a norm.

    While training, `dropout` of what is added is left out and the rest scaled up; torch's generator draws which.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.width, config.norm_epsilon)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.width, config.norm_epsilon)
        self.mlp = MLP(config)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(self, x: Tensor, cache: LayerCache | None, documents: Documents | None) -> Tensor:
        """x: (B, T, D); returns (B, T, D)."""
        x = x + self.dropout(self.attn(self.ln_1(x), cache, documents))
        x = x + self.dropout(self.mlp(self.ln_2(x)))
        return x


class Decoder(nn.Module):
    """Embeddings of tokens and positions, layers and the last norm: everything but the head."""

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary_size, config.width)
        self.wpe = nn.Embedding(config.context, config.width)
        self.h = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.ln_f = nn.LayerNorm(config.width, config.norm_epsilon)

    def forward(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        """tokens: (B, T) int64; returns hidden states (B, T, D)."""
        if documents is None:
            start = 0 if cache is None else cache.length
            positions = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        else:
            positions = documents.positions
        x: Tensor = self.wte(tokens) + self.wpe(positions)
        for index, layer in enumerate(self.h):
            x = layer(x, None if cache is None else cache.layers[index], documents)
        x = self.ln_f(x)
        return x


class GPT2(CausalModel):
    """The architecture of Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".

    See `CausalModel` for what it offers. In packed rows positions are counted from the start of each document.
    """

    has_input_first = True

    def __init__(self, config: ModelConfig, vocabulary_size: int) -> None:
        super().__init__(config, vocabulary_size)
        self.transformer = Decoder(config, vocabulary_size)
        self.lm_head = self.make_head()
        self._draw()

    @property
    def embedding(self) -> nn.Embedding:
        """The vectors of tokens: its weight is (V, D)."""
        return self.transformer.wte

    def hidden(self, tokens: Tensor, cache: Cache | None, documents: Documents | None) -> Tensor:
        """See `CausalModel.hidden`."""
        hidden: Tensor = self.transformer(tokens, cache, documents)
        return hidden

    def _draw(self) -> None:
        """Normal weights of 0.02; what is added to the residual is scaled by the number of times that is done.

        Source: Radford et al. 2019, section 2.3.
        """
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                is_added = name.endswith("c_proj.weight")
                std = 0.02 * (2 * self.config.layers) ** -0.5 if is_added else 0.02
                nn.init.normal_(parameter, std=std)
