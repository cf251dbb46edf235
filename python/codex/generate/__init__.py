"""A trained model continues a text: `sample` over tokens, `LanguageModel` over text."""

from __future__ import annotations

from codex.generate.language_model import Continuation, LanguageModel
from codex.generate.sample import choose, sample

__all__ = ["Continuation", "LanguageModel", "choose", "sample"]
