"""What the folder of a tokenizer says beside its vocabulary: `tokenizer_config.json` and `chat_template.jinja`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codex.errors import DamageError, MissingDataError
from codex.file import read_bytes

__all__ = ["NO_SETTINGS", "Settings", "read_settings"]

_LIMIT_BYTES = 1 << 26


@dataclass(frozen=True, slots=True)
class Settings:
    """The tokens that have a name, and the chat template. None is what is not said."""

    bos_token: str | None = None
    eos_token: str | None = None
    pad_token: str | None = None
    unk_token: str | None = None
    chat_template: str | None = None

    def named_tokens(self) -> dict[str, str]:
        """The tokens that have a name, by it."""
        names = ("bos_token", "eos_token", "pad_token", "unk_token")
        return {name: token for name in names if (token := getattr(self, name)) is not None}


#: What a lone `tokenizer.json` says.
NO_SETTINGS = Settings()


def read_settings(folder: Path) -> Settings:
    """What `folder` says; nothing, if it has none of the files.

    Raises:
        DamageError: if a file is no JSON object, or an entry is not what it should be.
    """
    path = folder / "tokenizer_config.json"
    try:
        data = read_bytes(path, limit_bytes=_LIMIT_BYTES)
    except MissingDataError:
        data = b"{}"
    try:
        config = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamageError(f"`{path}` is not valid JSON: {error}") from None
    if not isinstance(config, dict):
        raise DamageError(f"`{path}` is {type(config).__name__}, expected an object")
    names = ("bos_token", "eos_token", "pad_token", "unk_token")
    tokens = {name: _token(config.get(name), f"`{path}`: `{name}`") for name in names}
    return Settings(**tokens, chat_template=_chat_template(folder, config, path))


def _token(value: Any, where: str) -> str | None:
    """A token is a string, or an object that holds one."""
    content = value.get("content") if isinstance(value, dict) else value
    if value is not None and not isinstance(content, str):
        raise DamageError(f"{where} is {value!r}, expected a string or an object with `content`")
    return content


def _chat_template(folder: Path, config: dict[str, Any], path: Path) -> str | None:
    """The template in a file of its own, else in the configuration; of several with names, the one named `default`."""
    try:
        return read_bytes(folder / "chat_template.jinja", limit_bytes=_LIMIT_BYTES).decode("utf-8")
    except MissingDataError:
        pass
    except UnicodeDecodeError as error:
        raise DamageError(f"`{folder / 'chat_template.jinja'}` is not UTF-8: {error}") from None
    found = config.get("chat_template")
    if isinstance(found, list):
        named = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}
        found = named.get("default")
    if found is not None and not isinstance(found, str):
        raise DamageError(f"`{path}`: `chat_template` is {type(found).__name__}, expected a string")
    return found
