"""Overrides from the command line: `train.max_steps=50`, also written with `--` or `+` before it.

A value is read as an unquoted word of YAML would be, to the end of the argument; one that starts with `[`,
`{` or a quote is YAML as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from codex.config.document import Node, is_unicode, parse_document, parse_scalar
from codex.config.faults import COMMAND_LINE, Fault, shown
from codex.config.keys import leaves, nearest_keys, sections

__all__ = ["parse_override", "parse_overrides"]


def parse_overrides(arguments: Sequence[str], faults: list[Fault]) -> list[Node]:
    """One tree for each argument that can be read, in order."""
    trees = (parse_override(argument, faults) for argument in arguments)
    return [tree for tree in trees if tree is not None]


def parse_override(argument: str, faults: list[Fault]) -> Node | None:
    """The tree that sets one key from the command line; None, and a fault, if it cannot be read."""
    bare = argument.removeprefix("--").removeprefix("+")
    key, equals, text = bare.partition("=")
    if not equals or not all(key.split(".")):
        near = [candidate for candidate in nearest_keys(key) if candidate in leaves()]
        hint = f"did you mean `{near[0]}=VALUE`?" if near else None
        message = f"{shown(argument)} is not an override, expected `key=value`"
        faults.append(Fault(message, COMMAND_LINE, hint=hint))
        return None
    node = _value(text, key, faults)
    if node is None:
        return None
    if key in sections() and not isinstance(node.value, dict):
        first = next(leaf.key for leaf in leaves().values() if leaf.section == key)
        hint = f"name one of its keys, such as `{first}={text}`"
        faults.append(Fault(f"`{key}` is a section, expected a key in it", COMMAND_LINE, key=key, hint=hint))
        return None
    for name in reversed(key.split(".")):
        node.key_origin = COMMAND_LINE
        node = Node({name: node}, COMMAND_LINE)
    return node


def _value(text: str, key: str, faults: list[Fault]) -> Node | None:
    if not is_unicode(text):
        faults.append(Fault(f"the value of {shown(key)} is not UTF-8", COMMAND_LINE, key=key))
        return None
    if not text.startswith(("[", "{", '"', "'")):
        return Node(parse_scalar(text), COMMAND_LINE)
    found: list[Fault] = []
    node = parse_document(text, f"command line, {key}", found)
    faults.extend(found)
    return None if found or node is None else _from_command_line(node)


def _from_command_line(node: Node) -> Node:
    if isinstance(node.value, list):
        node.value = [_from_command_line(item) for item in node.value]
    elif isinstance(node.value, dict):
        node.value = {key: _from_command_line(item) for key, item in node.value.items()}
        for item in node.value.values():
            item.key_origin = COMMAND_LINE
    node.origin = COMMAND_LINE
    return node
