"""The loss of a language model's head: `reference.py` is the formula, `chunked.py` never holds all logits."""

from __future__ import annotations

__all__: list[str] = []
