"""What a key is for, what it takes, its value, and where that value came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from codex.config.dump import dump_value
from codex.config.faults import COMMAND_LINE, DEFAULT, Fault, Origin, config_error, shown
from codex.config.keys import leaves, nearest_keys
from codex.config.load import LoadedConfig
from codex.config.schema import Config

__all__ = ["Explanation", "explain", "json_schema"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to know about one key of one configuration."""

    key: str
    value: Any
    default: Any
    origin: Origin
    wanted: str
    sentence: str

    def __str__(self) -> str:
        return (
            f"{self.key}: {dump_value(self.value)}\n"
            f"  {self.sentence}\n"
            f"  from     {self.origin}\n"
            f"  default  {dump_value(self.default)}\n"
            f"  takes    {self.wanted}"
        )


def explain(loaded: LoadedConfig, key: str) -> list[Explanation]:
    """Explain a key, or every key of a section.

    Raises:
        ConfigError: if there is no such key; the hint is the nearest.

    >>> from codex.config import load
    >>> print(explain(load("base", ["train.max_steps=50"]), "train.max_steps")[0])  # doctest: +ELLIPSIS
    train.max_steps: 50
      Steps after which the run ends; the clock never ends one.
      from     command line
      default  ...
      takes    a whole number from 1 to 1000000000
    """
    chosen = [leaf for leaf in leaves().values() if key in (leaf.key, leaf.section)]
    if not chosen:
        near = nearest_keys(key)
        hint = f"did you mean `{near[0]}`?" if near else "`codex config show` lists every key"
        raise config_error([Fault(f"unknown key {shown(key)}", COMMAND_LINE, key=key, hint=hint)])
    return [
        Explanation(
            leaf.key,
            loaded.config.value(leaf.key),
            leaf.default,
            loaded.origins.get(leaf.key, DEFAULT),
            leaf.wanted,
            leaf.sentence,
        )
        for leaf in chosen
    ]


def json_schema() -> dict[str, Any]:
    """The schema of a configuration file for editors: JSON Schema 2020-12, the sentences as descriptions."""
    schema = Config.model_json_schema()
    file = {"type": "string", "minLength": 1}
    include = {
        "description": "Files to lay under this one, relative to it, or packaged names; the later wins.",
        "anyOf": [file, {"type": "array", "items": file}],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "codex configuration",
        "description": "A whole run.",
        "type": "object",
        "additionalProperties": False,
        "properties": {"include": include, **schema["properties"]},
        "$defs": schema["$defs"],
    }
