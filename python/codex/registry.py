"""A string becomes code in one way only: a registry, whose targets are imported when they are asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from codex.errors import RegistryError

__all__ = ["Registry"]


class Registry:
    """Names of one kind of thing, each with the place it is imported from.

    Args:
        kind: what the names are names of: it is the subject of the error message.
        targets: name -> `module:attribute`; nothing is imported before its name is asked for.
        group: the group of entry points by which installed packages add names of their own; None for none.

    >>> numbers = Registry("number", {"pi": "math:pi", "e": "math:e"})
    >>> numbers["pi"]
    3.141592653589793
    >>> numbers["pie"]
    Traceback (most recent call last):
    codex.errors.RegistryError: unknown number `pie`, expected one of `e`, `pi`
    """

    def __init__(self, kind: str, targets: Mapping[str, str], *, group: str | None = None) -> None:
        self.kind = kind
        self.group = group
        self._targets = dict(targets)

    def names(self) -> list[str]:
        """Every name, sorted; those of installed packages among them."""
        return sorted({*self._targets, *(point.name for point in self._plugins())})

    def __getitem__(self, name: str) -> Any:
        """Import and return what `name` stands for.

        Raises:
            RegistryError: if nothing is registered under `name` (the hint is the nearest name), more than one thing is, or
                what an installed package registers cannot be imported.
        """
        plugins = [point for point in self._plugins() if point.name == name]
        if len(plugins) + (name in self._targets) > 1:
            owners = ["codex"] * (name in self._targets) + [_owner(point) for point in plugins]
            raise RegistryError(f"{self.kind} `{name}` is registered by {' and by '.join(owners)}")
        if plugins:
            try:
                return plugins[0].load()
            except (ImportError, AttributeError) as error:
                message = f"{self.kind} `{name}` of {_owner(plugins[0])} cannot be imported: {error}"
                raise RegistryError(message) from error
        if name not in self._targets:
            near = difflib.get_close_matches(name, self.names(), n=1)
            raise RegistryError(
                f"unknown {self.kind} `{name}`, expected one of {', '.join(f'`{n}`' for n in self.names())}",
                hint=f"did you mean `{near[0]}`?" if near else None,
            )
        module, _, attribute = self._targets[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def _plugins(self) -> list[EntryPoint]:
        return list(entry_points(group=self.group)) if self.group else []


def _owner(point: EntryPoint) -> str:
    return f"`{point.dist.name}`" if point.dist else f"`{point.value}`"
