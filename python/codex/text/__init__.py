"""Bytes to text: the typed door to `codex-text`.

`decode` reads the encoding the bytes declare, exactly or not at all. `detect` finds it where nothing declares it;
`read_text` reads a file so, and says what it used, what was damaged and what was done about it. `from_bytes` and its kin
answer as charset-normalizer does.
"""

from __future__ import annotations

from codex._core import language_of, languages
from codex.text.declared import Decoded, NewlineCounts, decode
from codex.text.detection import Alternative, Detection, Detector, detect, is_binary
from codex.text.matches import Match, Matches, from_bytes, from_fp, from_path
from codex.text.read import Place, Text, read_text, to_text
from codex.text.stream import TextStream, detect_file, open_text

__all__ = [
    "Alternative",
    "Decoded",
    "Detection",
    "Detector",
    "Match",
    "Matches",
    "NewlineCounts",
    "Place",
    "Text",
    "TextStream",
    "decode",
    "detect",
    "detect_file",
    "from_bytes",
    "from_fp",
    "from_path",
    "is_binary",
    "language_of",
    "languages",
    "open_text",
    "read_text",
    "to_text",
]
