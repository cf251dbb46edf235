"""`codex manifest`: any folder of files is listed, and held against the list."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codex.cli.app import run
from codex.file import read_manifest, write_manifest


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    folder = tmp_path / "assets"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"abc")
    (folder / "sub" / "b.txt").write_text("bee")
    return folder


def test_a_folder_is_listed_and_verified(assets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["manifest", "build", str(assets), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["files"], facts["bytes"]) == ("manifest_build", 2, 6)
    listed = read_manifest(assets, "files", 1)["files"]
    assert [(entry["path"], entry["bytes"]) for entry in listed] == [("a.bin", 3), ("sub/b.txt", 3)]
    assert all(entry["digest"].startswith("sha256:") for entry in listed)
    assert run(["manifest", "verify", str(assets)]) == 0
    assert capsys.readouterr().out == f"{assets}: 2 files, 6 bytes, all as they were listed\n"


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "sealed"])
def test_every_difference_is_named(assets: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["manifest", "build", str(assets)]) == 0
    place = {"changed": "a.bin", "missing": "sub/b.txt", "added": "c", "sealed": "manifest.json"}[damage]
    if damage == "missing":
        (assets / place).unlink()
    elif damage == "sealed":
        (assets / place).write_text((assets / place).read_text().replace("a.bin", "b.bin"))
    else:
        (assets / place).write_bytes(b"abd")
    assert run(["manifest", "verify", str(assets)]) == 4
    assert f"{place}`" in capsys.readouterr().err


def test_an_earlier_manifest_is_replaced_only_when_asked_and_another_kind_never(
    assets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["manifest", "build", str(assets)]) == 0
    (assets / "c").write_bytes(b"")
    assert run(["manifest", "build", str(assets)]) == 2
    assert "hint: `--replace` writes it anew" in capsys.readouterr().err
    assert run(["manifest", "build", str(assets), "--replace"]) == 0
    assert run(["manifest", "verify", str(assets)]) == 0
    write_manifest(assets, {"kind": "checkpoint", "schema_version": 1, "files": []})
    assert run(["manifest", "build", str(assets), "--replace"]) == 2
    assert "is of kind checkpoint, expected files" in capsys.readouterr().err


def test_what_cannot_be_listed_is_an_error(tmp_path: Path, assets: Path) -> None:
    assert run(["manifest", "build", str(tmp_path / "none")]) == 3
    assert run(["manifest", "verify", str(assets)]) == 3
    (assets / "link").symlink_to("a.bin")
    assert run(["manifest", "build", str(assets)]) != 0
    assert not (assets / "manifest.json").exists()
