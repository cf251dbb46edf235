"""One token after another: logits to a choice, the choice back into the model.

V vocabulary, T tokens so far. Keys and values of earlier tokens are kept, so a token costs one position. A text longer than
the model's context is continued from its second half: the model never sees a position it was not trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from codex.errors import UsageError
from codex.models.cache import Cache

if TYPE_CHECKING:
    from codex.models.causal import CausalModel

__all__ = ["choose", "sample"]


def sample(
    model: CausalModel,
    prompt: Sequence[int],
    *,
    max_tokens: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    seed: int = 0,
    stop_id: int | None = None,
) -> Iterator[int]:
    """The tokens that follow `prompt`, as they are chosen.

    Args:
        model: in the mode it is in.
        prompt: at least one token.
        max_tokens: tokens to yield at most.
        temperature, top_k, top_p: see `choose`.
        seed: equal seeds give equal tokens on one machine.
        stop_id: a token that ends the text and is not yielded.
    Raises:
        UsageError: if the prompt is empty.
    """
    if not prompt:
        raise UsageError(
            "the prompt has 0 tokens, expected at least 1", hint="start with the end-of-document token"
        )
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    text = list(prompt)
    cache, unseen = _restart(model, text)
    for _ in range(max_tokens):
        if cache.length + len(unseen) > model.context:
            cache, unseen = _restart(model, text)
        with torch.inference_mode():
            logits = model.next_logits(torch.tensor([unseen], device=device), cache)[0].float().cpu()
        token = choose(logits, temperature=temperature, top_k=top_k, top_p=top_p, generator=generator)
        if token == stop_id:
            return
        yield token
        text.append(token)
        unseen = [token]


def _restart(model: CausalModel, text: list[int]) -> tuple[Cache, list[int]]:
    """An empty cache, and the end of the text: all if it fits, else half a context, so that there is room to go on."""
    fits = len(text) < model.context
    return Cache(model.config.layers), text if fits else text[-max(1, model.context // 2) :]


def choose(
    logits: Tensor, *, temperature: float, top_k: int | None, top_p: float, generator: torch.Generator
) -> int:
    """Draw one token.

    Args:
        logits: (V,), on the CPU.
        temperature: divides the logits; 0 takes the likeliest.
        top_k: keep so many of the likeliest; None keeps all.
        top_p: keep the likeliest that together have this probability, at least one; 1 keeps all.
        generator: where the chance comes from.
    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", for top_p.

    >>> choose(torch.tensor([0.0, 2.0]), temperature=0, top_k=None, top_p=1, generator=torch.Generator())
    1
    """
    if temperature == 0:
        return int(logits.argmax())
    ordered, ids = (logits / temperature).sort(descending=True, stable=True)
    probabilities = ordered[:top_k].softmax(dim=0)
    before = probabilities.cumsum(dim=0) - probabilities
    probabilities = probabilities * (before < top_p)
    return int(ids[torch.multinomial(probabilities, 1, generator=generator)])
