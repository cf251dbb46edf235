"""A name becomes code through a registry only, and only when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codex.errors import ConfigError, RegistryError
from codex.registry import Registry


def test_target_is_imported_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_model_of_a_test.py").write_text("class Llama: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    models = Registry("model", {"llama": "some_model_of_a_test:Llama", "absent": "no_such_module:X"})
    assert models.names() == ["absent", "llama"]
    assert "some_model_of_a_test" not in sys.modules
    assert models["llama"].__name__ == "Llama"
    with pytest.raises(ModuleNotFoundError):
        models["absent"]


def test_unknown_name_lists_and_suggests() -> None:
    models = Registry("model", {"llama": "a:b", "mamba": "c:d"})
    with pytest.raises(RegistryError) as caught:
        models["lama"]
    assert str(caught.value) == "unknown model `lama`, expected one of `llama`, `mamba`"
    assert (caught.value.hint, caught.value.exit_code) == ("did you mean `llama`?", 2)
    assert isinstance(caught.value, ConfigError) and isinstance(caught.value, KeyError)


def test_name_unlike_any_has_no_hint() -> None:
    with pytest.raises(RegistryError) as caught:
        Registry("model", {"llama": "a:b"})["zzz"]
    assert caught.value.hint is None
