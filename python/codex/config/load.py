"""Files and overrides to one configuration: includes, then the file, then the command line; the later wins.

Every fault of every file is reported at once; of a file that cannot be parsed, only its syntax.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from codex.config.check import check, origins
from codex.config.document import Node, parse_document
from codex.config.faults import NOWHERE, Fault, Origin, config_error, shown
from codex.config.find import Found, find, missing, read_text
from codex.config.override import parse_overrides
from codex.config.schema import Config

__all__ = ["DEFAULT_NAME", "LoadedConfig", "examine", "load"]

DEFAULT_NAME = "training/base"
MAXIMUM_INCLUDES = 32  # one inside the other


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and what it was made from.

    Args:
        config: the whole run, checked.
        source: the file, or the packaged one that stands in when none is named.
        text: the file as it was given.
        origins: where each key that was written got its value; the others have their defaults.
    """

    config: Config
    source: Path
    text: str
    origins: Mapping[str, Origin]

    @property
    def run_name(self) -> str:
        """What runs of it are called: `run.name`, else the name of the file without its ending."""
        return self.config.run.name or self.source.stem


def load(path_or_name: str | Path | None = None, overrides: Sequence[str] = ()) -> LoadedConfig:
    """Read a configuration, or say everything that is wrong with it.

    Args:
        path_or_name: a file, else the name of a packaged configuration; None is `training/base`.
        overrides: `key=value` as typed on the command line; the last of several wins.
    Raises:
        ConfigError: with every fault, where it was written, and a hint for each.

    >>> load("base", ["train.max_steps=50"]).config.train.max_steps
    50
    """
    loaded, faults = examine(path_or_name, overrides)
    if loaded is None:
        raise config_error(faults)
    return loaded


def examine(
    path_or_name: str | Path | None = None, overrides: Sequence[str] = ()
) -> tuple[LoadedConfig | None, list[Fault]]:
    """As `load`, with the faults as values: either they are empty or there is no configuration."""
    name = DEFAULT_NAME if path_or_name is None else path_or_name
    found = find(name)
    if found is None:
        return None, [missing(name, NOWHERE)]
    reading = _Reading()
    text = reading.file(found, NOWHERE)
    for tree in parse_overrides(overrides, reading.faults):
        _merge(reading.tree, tree)
    config, faults = check(reading.tree, is_complete=reading.is_complete)
    faults = sorted(reading.faults + faults, key=_place)
    if config is None or text is None or faults:
        return None, faults
    return LoadedConfig(config, found.path, text, origins(reading.tree)), []


@dataclass(slots=True)
class _Reading:
    """The files read so far, merged in the order of their contents."""

    tree: Node = field(default_factory=lambda: Node({}, Origin("")))
    faults: list[Fault] = field(default_factory=list)
    is_complete: bool = True
    chain: list[Found] = field(default_factory=list)
    done: set[Path] = field(
        default_factory=set
    )  # a file that two others include is merged once, where it came first

    def file(self, found: Found, origin: Origin) -> str | None:
        """Merge the file that is named at `origin` and, before it, what it includes."""
        text = read_text(found, origin, self.faults)
        node = None if text is None else self._parse(text, found)
        if node is None:
            self.is_complete = False
            return None
        assert isinstance(node.value, dict)
        self.chain.append(found)
        include = node.value.pop("include", None)
        if include is not None:
            self._includes(include, found)
        self.chain.pop()
        _merge(self.tree, node)
        self.done.add(found.path.resolve())
        return text

    def _parse(self, text: str, found: Found) -> Node | None:
        before = len(self.faults)
        node = parse_document(text, found.shown, self.faults)
        if node is None or (node.value is None and not node.is_quoted):
            if len(self.faults) == before:
                hint = "`include: base` takes every default"
                origin = Origin(found.shown, 1, 1)
                self.faults.append(Fault("an empty file, expected sections", origin, hint=hint))
            return None
        if not isinstance(node.value, dict):
            hint = "a configuration starts with the name of a section, such as `train:`"
            self.faults.append(Fault("not a configuration, expected sections", node.origin, hint=hint))
            return None
        return node

    def _includes(self, include: Node, found: Found) -> None:
        entries = include.value if isinstance(include.value, list) else [include]
        for entry in entries:
            if isinstance(entry.value, str) and entry.value:
                self._include(entry.value, entry.origin, found)
            else:
                message = "`include` takes a file or a list of files"
                self.faults.append(Fault(message, entry.origin, key="include", hint="`include: base`"))

    def _include(self, name: str, origin: Origin, found: Found) -> None:
        other = find(name, beside=found.path.parent)
        if other is None:
            self.faults.append(missing(name, origin))
            self.is_complete = False
            return
        paths = [one.path.resolve() for one in self.chain]
        if other.path.resolve() in paths:
            ring = [one.shown for one in self.chain[paths.index(other.path.resolve()) :]] + [other.shown]
            message = f"files include each other: {' -> '.join(ring)}"
            self.faults.append(Fault(message, origin, key="include"))
        elif len(self.chain) >= MAXIMUM_INCLUDES:
            self.faults.append(Fault(f"{shown(name)} is included more than {MAXIMUM_INCLUDES} deep", origin))
        elif other.path.resolve() not in self.done:
            self.file(other, origin)


def _place(fault: Fault) -> tuple[bool, str, int, int]:
    """Faults of one file stand together, in its order; the command line comes last."""
    origin = fault.origin
    return origin.line == 0, origin.source, origin.line, origin.column


def _merge(into: Node, new: Node) -> None:
    """Lay `new` over `into`, key by key; an empty section changes nothing, everything else replaces."""
    assert isinstance(into.value, dict) and isinstance(new.value, dict)
    for key, node in new.value.items():
        old = into.value.get(key)
        if old is not None and isinstance(old.value, dict):
            if isinstance(node.value, dict):
                _merge(old, node)
                continue
            if node.value is None:
                continue
        into.value[key] = node
