"""What the schema knows about each key, in words: for errors, for `explain`, for the reference page.

A leaf is a key that holds a value, `train.max_steps`; a section holds leaves, `train`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from codex.config.schema import Config

__all__ = ["Leaf", "leaves", "nearest_keys", "nearest_words", "sections"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key that holds a value.

    Args:
        key: dotted, `train.max_steps`.
        default: its value when nothing is written.
        sentence: what it is for.
        schema: its JSON schema, without references.
    """

    key: str
    default: Any
    sentence: str
    schema: Mapping[str, Any]

    @property
    def section(self) -> str:
        """`train` of `train.max_steps`."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """`max_steps` of `train.max_steps`."""
        return self.key.partition(".")[2]

    @property
    def wanted(self) -> str:
        """What the key takes, in words.

        >>> leaves()["train.max_steps"].wanted
        'a whole number from 1 to 1000000000'
        """
        return _words(self.schema)

    @property
    def choices(self) -> list[str]:
        """The words it takes if those can be counted, else nothing."""
        return [str(choice) for choice in self.schema.get("enum", ())]


@cache
def sections() -> Mapping[str, str]:
    """Every section and its sentence, in the order of the schema."""
    return {name: info.description or "" for name, info in Config.model_fields.items()}


@cache
def leaves() -> Mapping[str, Leaf]:
    """Every leaf by its dotted key, in the order of the schema."""
    definitions = Config.model_json_schema()["$defs"]
    found = {}
    for section, section_info in Config.model_fields.items():
        model: Any = section_info.annotation
        schemas = definitions[model.__name__]["properties"]
        for name, info in model.model_fields.items():
            key = f"{section}.{name}"
            found[key] = Leaf(key, info.default, info.description, schemas[name])
    return found


def nearest_keys(key: str, *, below: Sequence[str] | None = None, count: int = 3) -> list[str]:
    """The valid keys that `key` was most likely meant to be, the likeliest first.

    The last word weighs most, so that a key written under the wrong section finds the right one; among equals
    the section that was written wins. A key with others `below` it was meant to be a section: the one that is
    called alike or has those.

    >>> nearest_keys("train.max_step")[0], nearest_keys("model.learning_rate")[0]
    ('train.max_steps', 'train.learning_rate')
    """
    parent, _, word = key.rpartition(".")
    scores: dict[str, float] = {}
    if below is None:
        for leaf in leaves().values():
            alike = _likeness(word, leaf.name)
            if alike >= _LEAST:
                scores[leaf.key] = alike + 0.25 * (word == leaf.name) + 0.25 * (parent == leaf.section)
    if below is not None or not parent:
        for section in sections():
            known = sum(f"{section}.{name}" in leaves() for name in below or ())
            alike = max(_likeness(word, section), known / len(below or " "))
            if alike >= _LEAST:
                scores[section] = alike
    best = sorted(scores, key=lambda name: -scores[name])[:count]
    return [name for name in best if scores[name] >= scores[best[0]] - 0.15]


def nearest_words(word: str, words: list[str]) -> list[str]:
    """The words that `word` was most likely meant to be, the likeliest first."""
    return difflib.get_close_matches(word.lower(), words, n=2, cutoff=0.5)


_LEAST = 0.6  # likeness below which a key is no suggestion


def _likeness(a: str, b: str) -> float:
    matcher = difflib.SequenceMatcher(None, a.lower(), b)
    return matcher.ratio() if matcher.quick_ratio() >= _LEAST else 0.0


def _words(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return ", or ".join(_words(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(f"`{choice}`" for choice in schema["enum"])
    kind = schema["type"]
    if kind == "array":
        return f"a list of {_words(schema['items'])}"
    if kind == "string":
        return "text that is not empty" if schema.get("minLength") else "text"
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _range(schema)
    return {"boolean": "true or false", "null": "null"}[str(kind)]


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f" from {low:.17g} to {high:.17g}"
    bounds = [f"{word} {schema[name]:.17g}" for word, name in _BOUNDS.items() if name in schema]
    return " " + " and ".join(bounds) if bounds else ""


_BOUNDS = {
    "above": "exclusiveMinimum",
    "at least": "minimum",
    "below": "exclusiveMaximum",
    "at most": "maximum",
}
