"""What the tests of the configuration share: write a file, load it, or get the error it is refused with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from codex.config import Config, load
from codex.errors import ConfigError

Load = Callable[..., Config]
Block = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes files into an empty working directory; returns the path of the last."""
    monkeypatch.chdir(tmp_path)

    def run(**files: str | bytes) -> Path:
        path = tmp_path
        for name, text in files.items():
            path = Path(f"{name}.yaml")
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return run


@pytest.fixture
def read(write: Callable[..., Path]) -> Load:
    """The configuration of a text, written to `my.yaml`."""

    def run(text: str | bytes, overrides: Sequence[str] = ()) -> Config:
        return load(write(my=text), overrides).config

    return run


@pytest.fixture
def block(write: Callable[..., Path]) -> Block:
    """Message and hint of the error that a text, written to `my.yaml`, is refused with."""

    def run(text: str | bytes = "run:\n", overrides: Sequence[str] = ()) -> str:
        with pytest.raises(ConfigError) as caught:
            load(write(my=text), overrides)
        assert caught.value.exit_code == 2
        hint = f"\nhint: {caught.value.hint}" if caught.value.hint else ""
        return f"{caught.value}{hint}"

    return run
