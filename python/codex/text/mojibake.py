"""UTF-8 that was taken for Windows-1252 and encoded once more, undone where that is certain.

A line is undone if its characters are bytes in Windows-1252, those bytes are UTF-8, and encoding the result again the same wrong
way gives the line back: the step can be taken back, so nothing is lost. Bytes that Windows-1252 leaves open count as the control
characters of the same number, as browsers have it.
"""

from __future__ import annotations

import codecs

__all__ = ["undo_double_encoding"]

_CHARACTERS = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))
_BYTES = {ord(character): byte for byte, character in enumerate(_CHARACTERS)}


def undo_double_encoding(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with its doubly encoded lines undone, and the numbers of these lines, from 0.

    >>> undo_double_encoding("cafÃ©\\nété\\n")
    ('café\\nété\\n', (0,))
    """
    if text.isascii():
        return text, ()
    lines = text.split("\n")
    undone: list[int] = []
    for number, line in enumerate(lines):
        once = _once(line)
        if once is not None:
            undone.append(number)
        while once is not None:
            lines[number] = once
            once = _once(once)
    return "\n".join(lines), tuple(undone)


def _once(line: str) -> str | None:
    """The line encoded once less, if that can be told."""
    if line.isascii():
        return None
    try:
        meant = codecs.charmap_encode(line, "strict", _BYTES)[0].decode("utf-8")
    except UnicodeError:
        return None
    again, _ = codecs.charmap_decode(meant.encode(), "strict", _CHARACTERS)
    return meant if again == line else None
