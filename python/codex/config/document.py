"""YAML text to a tree in which every value knows where it was written.

Strict and plain: the numbers, booleans and nulls of YAML 1.2's core schema (`1e-4` is a number, `no` is
text), no tags, no merge keys, no key twice, one document. The tree is built from the parser's events without
recursion, so that neither a deep nest nor an alias bomb costs more than the limits below allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import NoReturn

import yaml

from codex.config.faults import Fault, Origin, shown
from codex.config.syntax import syntax_fault

__all__ = ["MAXIMUM_DEPTH", "MAXIMUM_NODES", "Node", "Scalar", "is_unicode", "parse_document", "parse_scalar"]

MAXIMUM_DEPTH = 32
MAXIMUM_NODES = 10_000  # after every alias is written out

Scalar = str | int | float | bool | None

_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"(?:(true|True|TRUE)|false|False|FALSE)\Z")
_INTEGER = re.compile(r"(?:[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400})\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"(?:([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")


@dataclass(slots=True)
class Node:
    """A value of a configuration file, and where it and its key were written."""

    value: Scalar | list[Node] | dict[str, Node]
    origin: Origin
    key_origin: Origin | None = None
    is_quoted: bool = False
    nodes: int = 1


def parse_scalar(text: str) -> Scalar:
    """The value of an unquoted word, by the core schema of YAML 1.2.

    >>> [parse_scalar(text) for text in ("1e-4", "no", "0x10", "true", "~", "1_000")]
    [0.0001, 'no', 16, True, None, '1_000']
    """
    if _NULL.match(text):
        return None
    if found := _BOOLEAN.match(text):
        return found.group(1) is not None
    if _INTEGER.match(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.match(text):
        return float(text)
    if found := _INFINITE.match(text):
        return float("nan") if found.group(1) is None else float(found.group(1) + "inf")
    return text


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8: it holds no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def parse_document(text: str, source: str, faults: list[Fault]) -> Node | None:
    """The tree of one YAML document; None if it holds nothing or cannot be parsed.

    Args:
        text: the whole document.
        source: what to call it in a message.
        faults: what is wrong with it is appended here; after a fault of syntax the rest is not looked at.
    """
    builder = _Builder(source, faults)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.YAMLError as error:
        faults.append(syntax_fault(error, text, source))
    except _LimitError as error:
        faults.append(error.fault)
    else:
        return builder.root
    return None


class _LimitError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    node: Node
    anchor: str | None
    path: tuple[str, ...]
    key: str | None = None
    key_origin: Origin | None = None


@dataclass(slots=True)
class _Builder:
    source: str
    faults: list[Fault]
    root: Node | None = None
    documents: int = 0
    nodes: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> None:
        assert event.start_mark is not None  # the parser marks every event
        origin = Origin(self.source, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents == 2:
                self._stop("a second document starts here, expected one", origin, "remove the line `---`")
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_tag(event.tag, origin)
            self._refuse_surrogates(event.value, origin)
            is_quoted = bool(event.style)
            value = event.value if is_quoted else parse_scalar(event.value)
            node = Node(value, origin, is_quoted=is_quoted)
            self._place(node, text=event.value)
            self._complete(node, event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_tag(event.tag, origin)
            empty: list[Node] | dict[str, Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
            node = Node(empty, origin)
            path = self._path()
            self._place(node)
            self.stack.append(_Open(node, event.anchor, path))
            if len(self.stack) > MAXIMUM_DEPTH:
                self._stop(f"nested more than {MAXIMUM_DEPTH} deep", origin)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self.stack.pop()
            self._complete(closed.node, closed.anchor)
        elif isinstance(event, yaml.AliasEvent):
            target = self.anchors.get(event.anchor or "")
            if target is None:
                message = f"`*{event.anchor}` stands before the end of its `&{event.anchor}`, or has none"
                self._stop(message, origin)
            node = replace(target, origin=origin)
            self._place(node)
            self._complete(node, None)

    def _place(self, node: Node, text: str | None = None) -> None:
        """Put a value where it belongs: the root, the end of a list, or under the key before it."""
        self.nodes += node.nodes
        if self.nodes > MAXIMUM_NODES:
            hint = "aliases multiply" if self.anchors else None
            self._stop(f"more than {MAXIMUM_NODES} values", node.origin, hint)
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        if isinstance(parent.node.value, list):
            parent.node.value.append(node)
        elif parent.key is None:
            if text is None:
                self._stop("expected a word as a key", node.origin, "a key is a name followed by a colon")
            parent.key, parent.key_origin = text, node.origin
        else:
            self._place_under(parent, parent.key, node)
            parent.key = None

    def _place_under(self, parent: _Open, key: str, node: Node) -> None:
        assert isinstance(parent.node.value, dict) and parent.key_origin is not None
        node.key_origin = parent.key_origin
        if key == "<<":
            hint = "`include:` merges files"
            self.faults.append(Fault("`<<` (merge) is not part of YAML 1.2", node.key_origin, hint=hint))
        elif key in parent.node.value:
            first = parent.node.value[key].key_origin
            message = f"{shown('.'.join(self._path()))} is written twice, first at {first}"
            self.faults.append(Fault(message, node.key_origin, hint="keep one of them"))
        else:
            parent.node.value[key] = node

    def _path(self) -> tuple[str, ...]:
        """The keys that lead to where the next value goes."""
        if not self.stack:
            return ()
        last = self.stack[-1]
        return last.path if last.key is None else (*last.path, last.key)

    def _complete(self, node: Node, anchor: str | None) -> None:
        """Only a complete node can be referred to, so no alias can hold itself."""
        if anchor is not None:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1].node.nodes += node.nodes

    def _refuse_tag(self, tag: str | None, origin: Origin) -> None:
        if tag is not None:
            name = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            message = f"the tag {name} is not taken: a configuration is plain data"
            self.faults.append(Fault(message, origin, hint="quote text, write numbers bare"))

    def _refuse_surrogates(self, text: str, origin: Origin) -> None:
        if not is_unicode(text):
            self.faults.append(
                Fault("half a surrogate pair, expected text", origin, hint="write the character itself")
            )

    def _stop(self, message: str, origin: Origin, hint: str | None = None) -> NoReturn:
        raise _LimitError(Fault(message, origin, hint=hint))
