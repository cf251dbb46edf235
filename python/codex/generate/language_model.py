"""A checkpoint opened to write text with: model, tokenizer and what they were trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from codex import checkpoint
from codex.config.schema import Config, Generate
from codex.errors import DamageError
from codex.generate.sample import sample
from codex.models import build
from codex.models.causal import CausalModel
from codex.tokens import Tokenizer

__all__ = ["Continuation", "LanguageModel"]


@dataclass(frozen=True, slots=True)
class Continuation:
    """What a model wrote."""

    prompt: str
    text: str
    """Without the prompt."""
    tokens: int
    is_ended: bool
    """Whether the model ended it; otherwise it was cut at the most tokens asked for."""


class LanguageModel:
    """A model with its tokenizer.

    Args:
        model: in evaluation mode.
        tokenizer: the one it was trained with.
    """

    def __init__(self, model: CausalModel, tokenizer: Tokenizer) -> None:
        self.model = model
        self.tokenizer = tokenizer

    @classmethod
    def open(cls, path: Path) -> tuple[LanguageModel, Path, dict[str, Any]]:
        """The model in a checkpoint, or in the newest checkpoint of a run that verifies.

        Args:
            path: a checkpoint, a run, or a folder of checkpoints.
        Returns:
            The model, the folder of its checkpoint, and the state saved with it.
        Raises:
            MissingDataError: if there is no checkpoint at `path`.
            DataError: if `path` is a pickle.
            DamageError: naming the file and part that are not what was saved.
        """
        folder = checkpoint.checkpoint_at(path)
        loaded = checkpoint.load_whole(folder)
        if "tokenizer.json" not in loaded.files or "config" not in loaded.state:
            raise DamageError(
                f"`{folder}` holds no tokenizer or no configuration, expected a checkpoint of a run"
            )
        tokenizer = Tokenizer.from_json(loaded.files["tokenizer.json"])
        with torch.random.fork_rng():  # what is drawn here is overwritten
            model = build(Config.model_validate(loaded.state["config"]).model, tokenizer.vocab_size)
        model.load_state_dict(loaded.model)
        return cls(model.eval(), tokenizer), folder, loaded.state

    def write(self, prompt: str, settings: Generate, *, seed: int) -> Iterator[bytes]:
        """What follows `prompt`, token by token, as bytes: a character may be split over two tokens."""
        for token in self._tokens(prompt, settings, seed):
            yield self.tokenizer.decode_bytes([token])

    def continue_text(self, prompt: str, settings: Generate, *, seed: int) -> Continuation:
        """What follows `prompt`, at once; bytes that are no text become U+FFFD."""
        tokens = list(self._tokens(prompt, settings, seed))
        return Continuation(
            prompt, self.tokenizer.decode(tokens), len(tokens), len(tokens) < settings.max_tokens
        )

    def _tokens(self, prompt: str, settings: Generate, seed: int) -> Iterator[int]:
        """The prompt stands at the start of a document, as the model has seen documents start."""
        end = self.tokenizer.end_of_document_id
        ids: Sequence[int] = [end, *self.tokenizer.encode(prompt, specials="text")]
        return sample(
            self.model,
            ids,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
            seed=seed,
            stop_id=end,
        )
