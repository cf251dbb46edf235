"""The state goes through JSON unchanged, or is refused with its place."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from codex.checkpoint import load, save
from codex.errors import UsageError


def save_state(folder: Path, state: dict[str, Any], **files: bytes) -> Path:
    return save(folder, 3, model={}, optimizer={}, state_tensors={}, state=state, files=files)


def test_numbers_and_text_come_back_exactly(tmp_path: Path) -> None:
    state = {
        "big": 2**127,
        "tiny": 5e-324,
        "third": 1 / 3,
        "text": "é\u2028\ud83d\ude00"[:1],
        "none": None,
        "list": [True, -0.0],
    }
    read = load(save_state(tmp_path, state)).state
    assert read == {**state, "metrics": {}, "step": 3}
    assert math.copysign(1, read["list"][1]) == -1


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": {"b": (1, 2)}}, "`state.a.b` is tuple, expected a JSON value"),
        ({"a": [1.0, math.nan]}, "`state.a[1]` is nan, expected a finite number"),
        ({"a": math.inf}, "`state.a` is inf"),
        ({"a": {1: 2}}, "a key of `state.a` is int 1, expected a string"),
        ({"a": {3}}, "`state.a` is set"),
        ({"a": b"x"}, "`state.a` is bytes"),
        ({"step": 4}, "another `step` than 3"),
        ({"schema_version": 1}, "`state` has `schema_version`"),
    ],
)
def test_what_json_would_change_is_refused_with_its_place(
    tmp_path: Path, state: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        save_state(tmp_path, state)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["state.json", "model.safetensors", "manifest.json", "build.json", "../x", "a/b", "", "."]
)
def test_a_file_cannot_take_a_name_that_is_taken_or_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"`{name}` cannot be")):
        save_state(tmp_path, {}, **{name: b""})
    assert list(tmp_path.iterdir()) == []
