"""`_core.pyi` and the compiled module say the same: names, parameters, and nothing beside them."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import codex
from codex import _core

STUB = ast.parse((Path(codex.__file__).parent / "_core.pyi").read_text())


def parameters_of(node: ast.FunctionDef) -> list[str]:
    arguments = node.args
    return [
        item.arg
        for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        if item.arg not in ("self", "cls")
    ]


def public(names: object) -> set[str]:
    return {name for name in names if not name.startswith("_")}  # type: ignore[attr-defined]


def test_stub_and_module_have_the_same_names() -> None:
    stubbed = {node.name for node in STUB.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert public(stubbed) == public(vars(_core))


def test_every_function_takes_what_the_stub_says() -> None:
    for node in STUB.body:
        if isinstance(node, ast.FunctionDef):
            assert list(inspect.signature(getattr(_core, node.name)).parameters) == parameters_of(node), (
                node.name
            )


def test_every_class_has_the_members_the_stub_says() -> None:
    for node in STUB.body:
        if not isinstance(node, ast.ClassDef):
            continue
        kind = getattr(_core, node.name)
        stubbed: dict[str, ast.AST] = {
            item.name: item for item in node.body if isinstance(item, ast.FunctionDef)
        }
        stubbed |= {
            item.target.id: item
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        assert public(stubbed) == public(vars(kind)), node.name
        for name in public(stubbed):
            item, member = stubbed[name], getattr(kind, name)
            if isinstance(item, ast.FunctionDef) and callable(member):
                found = [word for word in inspect.signature(member).parameters if word not in ("self", "cls")]
                assert found == parameters_of(item), f"{node.name}.{name}"
