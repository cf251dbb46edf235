"""Files that run code when they are opened are not opened: `docs/design/008-no-pickle.md` says why."""

from __future__ import annotations

from pathlib import Path

from codex.errors import DataError

__all__ = ["is_pickled", "refuse_pickled"]

_SUFFIXES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})


def is_pickled(path: Path) -> bool:
    """Whether a file of this name is a pickle by the habits of the field.

    >>> is_pickled(Path("pytorch_model.bin")), is_pickled(Path("model.safetensors"))
    (True, False)
    """
    return path.suffix.lower() in _SUFFIXES


def refuse_pickled(path: Path) -> None:
    """Refuse the file at `path` if it is a pickle by its name; it is not opened.

    Raises:
        DataError: saying what to do instead.
    """
    if is_pickled(path):
        raise DataError(
            f"`{path}` is a pickle, which can run code when it is opened, so codex never opens one",
            hint="where you trust it, write it anew as safetensors: `model.save_pretrained(folder)` of transformers",
        )
