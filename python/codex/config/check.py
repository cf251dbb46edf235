"""A tree against the schema: a configuration, or everything that is wrong with it at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from codex.config.document import Node, parse_scalar
from codex.config.faults import DEFAULT, Fault, Origin, shown
from codex.config.keys import Leaf, leaves, nearest_keys, nearest_words
from codex.config.rules import broken_rules
from codex.config.schema import Config

__all__ = ["check", "origins"]


def check(root: Node, *, is_complete: bool = True) -> tuple[Config | None, list[Fault]]:
    """The configuration that a tree stands for, or every fault in it.

    Args:
        root: the tree.
        is_complete: whether all files could be read; if not, what ties keys together is not judged.
    """
    values = _plain(root)
    try:
        return Config.model_validate(values), []
    except ValidationError as error:
        problems = [problem for problem in error.errors(include_url=False) if problem["type"] != "conflict"]
    faults = [_fault(problem["type"], problem["loc"], root) for problem in problems]
    if is_complete:
        faults += _conflicts(values, root, bad={str(fault.key) for fault in faults})
    return None, faults


def origins(root: Node) -> dict[str, Origin]:
    """Where each key that was written got its value."""
    found = {}
    for section, node in _items(root):
        for name, value in _items(node):
            found[f"{section}.{name}"] = value.origin
    return found


def _items(node: Node) -> list[tuple[str, Node]]:
    return list(node.value.items()) if isinstance(node.value, dict) else []


def _plain(node: Node, depth: int = 0) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(value, depth + 1) for key, value in node.value.items()}
    if isinstance(node.value, list):
        return tuple(_plain(value, depth + 1) for value in node.value)
    # A section whose keys are all commented out is an empty section.
    return {} if depth == 1 and node.value is None else node.value


def _fault(kind: str, location: tuple[int | str, ...], root: Node) -> Fault:
    node = root
    for step in location:
        assert isinstance(node.value, dict | list)
        node = node.value[step]  # type: ignore[index]
    key = ".".join(str(step) for step in location[:2])
    if kind == "extra_forbidden":
        return _unknown_key(key, node)
    if len(location) == 1:
        message = f"`{key}` is {_got(node)}, expected a section"
        return Fault(message, node.origin, key=key, hint=f"keys of `{key}` stand below it, indented")
    leaf = leaves()[key]
    if len(location) == 3:
        message = f"`{key}[{location[2]}]` is {_got(node)}, expected text that is not empty"
        return Fault(message, node.origin, key=key)
    message = f"`{key}` is {_got(node)}, expected {leaf.wanted}"
    return Fault(message, node.origin, key=key, hint=_value_hint(leaf, node))


def _unknown_key(key: str, node: Node) -> Fault:
    near = nearest_keys(key, below=list(node.value) if isinstance(node.value, dict) else None)
    if key in leaves():  # written with its dot
        hint = f"in a file `{leaves()[key].name}:` stands below `{leaves()[key].section}:`, indented"
    elif near:
        hint = "did you mean " + " or ".join(f"`{candidate}`" for candidate in near) + "?"
    else:
        hint = "`codex config show` lists every key"
    return Fault(f"unknown key {shown(key)}", node.key_origin or node.origin, key=key, hint=hint)


def _conflicts(values: Mapping[str, Any], root: Node, bad: set[str]) -> list[Fault]:
    """Rules that do not hold among the keys that are valid, whatever else is not."""
    written = origins(root)
    except_keys = {key for key in leaves() if key in bad or key.partition(".")[0] in bad}

    def value_of(key: str) -> Any:
        section, _, name = key.partition(".")
        return values.get(section, {}).get(name, leaves()[key].default)

    faults = []
    for broken in broken_rules(value_of, except_keys=except_keys):
        first, *others = [written[key] for key in broken.keys if key in written] or [DEFAULT]
        faults.append(Fault(broken.message, first, broken.keys[0], broken.hint, tuple(others)))
    return faults


def _got(node: Node) -> str:
    value = node.value
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {shown(value)}" if value else "empty text"
    if value is None or isinstance(value, bool):
        return str({None: "null", True: "true", False: "false"}[value])
    return shown(str(value)).strip("`")


def _value_hint(leaf: Leaf, node: Node) -> str | None:
    value = node.value
    kinds = {leaf.schema.get("type"), *(choice.get("type") for choice in leaf.schema.get("anyOf", ()))}
    if isinstance(value, str):
        if leaf.choices:
            near = nearest_words(value, leaf.choices)
            return f"did you mean `{near[0]}`?" if near else None
        if "array" in kinds:
            return f"put it in a list, {shown(f'[{value}]')}"
        if "boolean" in kinds and value.lower() in _SPOKEN:
            return f"use `{_SPOKEN[value.lower()]}`"
        if node.is_quoted and kinds & {"integer", "number", "boolean"}:
            return "remove the quotes"
        if kinds & {"integer", "number"} and isinstance(parse_scalar(value.replace("_", "")), int | float):
            return f"use `{value.replace('_', '')}`"
    elif isinstance(value, float) and "integer" in kinds and math.isfinite(value) and value == int(value):
        return f"use `{int(value)}`" if abs(value) < 2**53 else None
    elif "string" in kinds and isinstance(value, int | float) and not leaf.choices:
        return "put it in quotes to make it text"
    return None


_SPOKEN = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
