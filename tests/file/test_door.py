"""`codex.file` offers what it says, and nothing it says is missing."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import codex.file
from codex import _core
from codex.errors import CodexError, MissingDataError, UsageError
from codex.file import FailPoints, PartialFolder, digest_bytes, free_bytes, require_space, write_atomic

STUB = Path(codex.file.__file__).with_name("_core.pyi")


def stubbed() -> dict[str, ast.ClassDef | ast.FunctionDef]:
    """What stands in `_core.pyi` under the heading `file`."""
    text = STUB.read_text()
    start = text.index("\n# file\n")
    end = text.find("\n# ", start + 1)
    tree = ast.parse(text[start : end if end > 0 else None])
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def test_the_stub_tells_every_parameter_and_default_of_the_module() -> None:
    names = stubbed()
    assert len(names) > 15
    for name, node in names.items():
        found = getattr(_core, name)
        if isinstance(node, ast.ClassDef):
            members = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            plain = {member for member in vars(found) if not member.startswith("_") or member in members}
            assert plain == members, name
            continue
        written = [parameter.arg for parameter in node.args.args]
        signature = inspect.signature(found)
        assert list(signature.parameters) == written, name
        defaults = [p.default for p in signature.parameters.values() if p.default is not p.empty]
        assert defaults == [ast.literal_eval(value) for value in node.args.defaults], name


def test_all_public_names_exist_and_say_what_they_are_for() -> None:
    for name in codex.file.__all__:
        value = getattr(codex.file, name)
        assert isinstance(value, int) or (value.__doc__ or "").strip(), name


def test_the_door_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'pydantic', 'typer'} & set(sys.modules)"
    code = f"import sys, codex.file; sys.exit(repr({heavy}) if {heavy} else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("data", [b"abc", bytearray(b"abc"), memoryview(b"abc"), memoryview(b"aXbXcX")[::2]])
def test_bytes_are_taken_from_any_buffer(tmp_path: Path, data: bytes) -> None:
    write_atomic(tmp_path / "a", data)
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert digest_bytes(data) == digest_bytes(b"abc")
    with PartialFolder(tmp_path / "b") as folder:
        file = folder.open("c")
        assert file.write(data) == 3
        file.finish()
    assert (tmp_path / "b" / "c").read_bytes() == b"abc"


@pytest.mark.parametrize("data", ["text", 5, None, [1, 2]])
def test_what_has_no_bytes_is_a_type_error(tmp_path: Path, data: object) -> None:
    with pytest.raises(TypeError):
        write_atomic(tmp_path / "a", data)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_errors_are_of_the_class_a_caller_would_catch(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"cannot read `.*gone`: no such file or directory") as caught:
        codex.file.read_bytes(tmp_path / "gone")
    assert isinstance(caught.value, FileNotFoundError) and caught.value.exit_code == 3
    with pytest.raises(UsageError, match="no digest is called `md5`, expected `xxh3-128` or `sha256`"):
        digest_bytes(b"", "md5")
    with pytest.raises(CodexError, match="has no name to write under"):
        write_atomic("/", b"")


def test_the_page_lists_every_fail_point_there_is() -> None:
    root = Path(__file__).parents[2]
    row = next(
        line for line in (root / "docs/file.md").read_text().splitlines() if line.startswith("| point |")
    )
    listed = re.findall(r"`(file\.[a-z-]+)`", row)
    assert set(listed) == set(
        re.findall(r'"(file\..+?)"', (root / "rust/codex-file/src/system.rs").read_text())
    )
    for point in listed:
        FailPoints(f"{point}=eio")


def test_space_is_asked_before_writing(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not" / "yet")
    assert free > 0
    require_space(tmp_path, 1)
    with pytest.raises(OSError, match="free, needs") as caught:
        require_space(tmp_path, 1 << 62)
    assert type(caught.value).__name__ == "DiskFullError" and caught.value.exit_code == 5  # type: ignore[attr-defined]
    assert caught.value.hint == "free some space, or choose a folder on another disk"  # type: ignore[attr-defined]
