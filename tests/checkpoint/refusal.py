"""What every way to look at a checkpoint says of one that is not what was saved, and manifests sealed again as a liar would."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from codex.checkpoint import load, verify
from codex.errors import DamageError

__all__ = ["edit_manifest", "refused"]


def _verify_file_by_file(path: Path) -> None:
    """As the command does, which shows how far it is."""
    verify(path, progress=lambda done, total: None)


def refused(path: Path) -> str:
    """What both ways to verify and a load say: the same."""
    messages = set()
    for look in (verify, _verify_file_by_file, load):
        with pytest.raises(DamageError) as error:
            look(path)
        messages.add(str(error.value))
    [message] = messages
    return message


def edit_manifest(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest and seal it again with another library's canonical JSON."""
    manifest = json.loads((path / "manifest.json").read_bytes())
    del manifest["digest"]
    edit(manifest)
    manifest["digest"] = "sha256:" + hashlib.sha256(rfc8785.dumps(manifest)).hexdigest()
    (path / "manifest.json").write_bytes(rfc8785.dumps(manifest) + b"\n")
