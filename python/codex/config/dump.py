"""A configuration as YAML that reads back to the same digest, with comments on request."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from codex.config.document import parse_scalar
from codex.config.keys import leaves, sections
from codex.config.schema import Config

__all__ = ["dump_value", "dump_yaml"]

_COMMENT_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_/.+-]*\Z")
# What a double-quoted word of YAML cannot hold as it is, beyond what JSON escapes: what YAML calls
# unprintable, and the separators that it would fold.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def dump_yaml(config: Config, *, comments: bool = False) -> str:
    """Every key of a configuration as YAML, in the order of the schema.

    >>> print(dump_yaml(Config())[:35])
    run:
      name: null
      directory: runs
    """
    return "".join(f"{line}\n" for line in _lines(config, comments))


def dump_value(value: Any) -> str:
    """One value on one line, as YAML of a list or a scalar.

    >>> [dump_value(value) for value in (1e-06, None, "no", "yes: no", ("a", "*.py"))]
    ['1e-06', 'null', 'no', '"yes: no"', '[a, "*.py"]']
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(dump_value(item) for item in value)}]"
    text = str(value)
    if _PLAIN.match(text) and parse_scalar(text) == text:
        return text
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def _lines(config: Config, comments: bool) -> Iterator[str]:
    for section, sentence in sections().items():
        if comments:
            yield from _comment(sentence, "", is_first=section == next(iter(sections())))
        yield f"{section}:"
        for leaf in leaves().values():
            if leaf.section == section:
                if comments:
                    yield from _comment(leaf.sentence, "  ", is_first=True)
                yield f"  {leaf.name}: {dump_value(config.value(leaf.key))}"


def _comment(sentence: str, indent: str, *, is_first: bool) -> list[str]:
    lines = textwrap.wrap(sentence, _COMMENT_WIDTH, break_long_words=False, break_on_hyphens=False)
    return ([] if is_first else [""]) + [f"{indent}# {line}" for line in lines]
