"""What PyYAML says about a file it cannot parse, in words that name the mistake."""

from __future__ import annotations

import re

import yaml

from codex.config.faults import Fault, Origin, shown

__all__ = ["syntax_fault"]

# What PyYAML says -> what it means, the way out, and whether the mistake stands where the construct began.
_MEANINGS: tuple[tuple[str, str, str | None, bool], ...] = (
    (
        r"mapping values are not allowed here",
        "a colon where no key can stand",
        "quote text that holds `: `; check the indentation, and the colon of the line above",
        False,
    ),
    (
        r"expected <block end>, but found '<block \w+ start>'",
        "this line is indented unlike the ones above it",
        "keys of one section start in one column",
        False,
    ),
    (
        r"expected (<block end>|'<document start>'), but found",
        "something follows a complete value",
        "quote the whole value",
        False,
    ),
    (r"could not find expected ':'", "a key without a colon", "a key is a name, a colon and a space", True),
    (r"expected ',' or '\]'", "a list that is not closed, expected `,` or `]`", None, False),
    (r"expected ',' or '}'", "a mapping that is not closed, expected `,` or `}`", None, False),
    (r"found unexpected end of stream", "a quote that is not closed", None, True),
    (
        r"found unknown escape character",
        "an unknown escape in double quotes",
        "single quotes take `\\` as it is",
        False,
    ),
    (
        r"found character .* cannot start any token",
        "a character that cannot start a value",
        "put it in quotes",
        False,
    ),
)


def syntax_fault(error: yaml.YAMLError, text: str, source: str) -> Fault:
    """The fault that `error`, raised while `text` was parsed, stands for."""
    if isinstance(error, yaml.reader.ReaderError):
        lines = text[: error.position].split("\n")
        place = Origin(source, len(lines), len(lines[-1]) + 1)
        message = f"{shown(chr(error.character))} is a control character, expected text"
        return Fault(message, place, hint='write it as an escape in double quotes, such as "\\x1b"')
    assert isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None
    mark = error.problem_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        place = Origin(source, mark.line + 1, indent.index("\t") + 1)
        return Fault("a tab indents this line, expected spaces", place, hint="indent by two spaces")
    if line[mark.column : mark.column + 1] == "\t":
        return Fault("a tab stands here, expected a space", Origin(source, mark.line + 1, mark.column + 1))
    for pattern, meaning, hint, at_start in _MEANINGS:
        if re.match(pattern, error.problem or ""):
            mark = error.context_mark if at_start and error.context_mark is not None else mark
            return Fault(f"not YAML: {meaning}", Origin(source, mark.line + 1, mark.column + 1), hint=hint)
    return Fault(f"not YAML: {error.problem}", Origin(source, mark.line + 1, mark.column + 1))
