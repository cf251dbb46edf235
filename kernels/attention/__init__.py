"""Causal attention: `reference.py` is the mathematics, torch's scaled-dot-product attention the fast path today."""

from __future__ import annotations

__all__: list[str] = []
