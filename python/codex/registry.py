"""A string becomes code in one way only: a registry, whose targets are imported when they are asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from codex.errors import RegistryError

__all__ = ["Registry"]


class Registry:
    """Names of one kind of thing, each with the place it is imported from.

    Args:
        kind: what the names are names of, in one word: it is the subject of the error message.
        targets: name -> `module:attribute`; nothing is imported before its name is asked for.

    >>> numbers = Registry("number", {"pi": "math:pi", "e": "math:e"})
    >>> numbers["pi"]
    3.141592653589793
    >>> numbers["pie"]
    Traceback (most recent call last):
    codex.errors.RegistryError: unknown number `pie`, expected one of `e`, `pi`
    """

    def __init__(self, kind: str, targets: Mapping[str, str]) -> None:
        self.kind = kind
        self._targets = dict(targets)

    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._targets)

    def __getitem__(self, name: str) -> Any:
        """Import and return what `name` stands for.

        Raises:
            RegistryError: if nothing is registered under `name`; the hint is the nearest name.
        """
        if name not in self._targets:
            near = difflib.get_close_matches(name, self.names(), n=1)
            raise RegistryError(
                f"unknown {self.kind} `{name}`, expected one of {', '.join(f'`{n}`' for n in self.names())}",
                hint=f"did you mean `{near[0]}`?" if near else None,
            )
        module, _, attribute = self._targets[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
