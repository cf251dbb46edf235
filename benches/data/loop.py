"""What people write who have no ingest: a loop in Python over a folder of text, as a step of datatrove's does it.

Read, check that it is UTF-8, make newlines one, count, leave out what breaks a rule and what was there before, write a line. The
rules are those of `codex.data.filters`, written as datatrove writes them, so that both sides keep the same texts.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from pathlib import Path

__all__ = ["ingest", "keeps_rules"]


def ingest(folder: Path, target: Path, *, with_rules: bool) -> int:
    """Write the records of all files below `folder` to `target`; how many they are."""
    orjson = importlib.import_module("orjson")  # a peer: on the path of the worker alone
    seen = set()
    with target.open("wb") as file:
        for path, name in _files(folder):
            try:
                text = path.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                continue
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            if not text or (with_rules and not keeps_rules(text)):
                continue
            identity = hashlib.sha256(text.encode()).hexdigest()[:32]
            if identity in seen:
                continue
            seen.add(identity)
            record = {
                "id": identity,
                "text": text,
                "source": {"path": name, "encoding": "utf-8", "errors": 0},
            }
            file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    return len(seen)


def _files(folder: Path) -> list[tuple[Path, str]]:
    files = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return sorted((path, path.relative_to(folder).as_posix()) for path in files)


def keeps_rules(text: str) -> bool:
    """Whether none of the six rules of quality is broken; see `codex.data.filters`."""
    words = text.split()
    if not 3 * len(words) <= sum(map(len, words)) <= 10 * len(words):
        return False
    if (text.count("#") + text.count("...") + text.count("…")) * 10 > len(words):
        return False
    if sum(any(character.isalpha() for character in word) for word in words) * 10 < len(words) * 8:
        return False
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    if sum(line.startswith(("•", "‣", "◦", "●", "-", "*")) for line in lines) * 10 > len(lines) * 9:
        return False
    if sum(line.endswith(("...", "…")) for line in lines) * 10 > len(lines) * 3:
        return False
    seen: set[str] = set()
    repeated = repeated_characters = 0
    for line in lines:
        if line in seen:
            repeated += 1
            repeated_characters += len(line)
        seen.add(line)
    return not (repeated * 10 > len(lines) * 3 or repeated_characters * 5 > sum(map(len, lines)))
