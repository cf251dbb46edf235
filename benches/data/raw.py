"""Folders of raw text to ingest: files of about six kilobytes, the sizes as they fall, some of them twice; a seed gives the same.

The text is English out of docstrings and code of the installed packages (`benches.tokens.texts`), so that words, lines and tokens
are those of a corpus; one file in fifty is of many languages, and one in forty a copy.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from benches.tokens import texts

__all__ = ["END", "FILE_BYTES", "write_files"]

FILE_BYTES = 6000
#: A script encodes it as the token, wherever it stands; it is taken out, so that both sides write the same ids.
END = "<|endoftext|>"
_COPIES = 40
_OTHERS = 50
_FILES_A_FOLDER = 200


def write_files(folder: Path, total_bytes: int, seed: int) -> int:
    """Write so many bytes of files below `folder`; how many files they are."""
    chance = random.Random(seed)
    count = size = 0
    before = "a first text\n"
    for text in _texts(total_bytes, chance, seed):
        path = folder / f"{count // _FILES_A_FOLDER:04}" / f"{count:06}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = before if chance.randrange(_COPIES) == 0 else text
        data = before.encode()
        path.write_bytes(data)
        count += 1
        size += len(data)
        if size >= total_bytes:
            break
    return count


def _texts(total_bytes: int, chance: random.Random, seed: int) -> Iterator[str]:
    """Texts of about `FILE_BYTES`, each cut at a line."""
    sources = [
        [line for text in texts.documents(kind, size, seed=seed) for line in text.splitlines(keepends=True)]
        for kind, size in (
            ("english", min(total_bytes, 8_000_000)),
            ("code", total_bytes),
            ("mixed", total_bytes // 10),
        )
    ]
    places = [0] * len(sources)
    while True:
        kind = 2 if chance.randrange(_OTHERS) == 0 else chance.randrange(2)
        wanted, lines, size = int(chance.expovariate(1 / FILE_BYTES)) + 100, list[str](), 0
        while size < wanted:
            line = sources[kind][places[kind] % len(sources[kind])].replace(END, "")
            # What is read a second time is another text: its words stand in another order.
            if places[kind] >= len(sources[kind]):
                words = line.split(" ")
                chance.shuffle(words)
                line = " ".join(words).rstrip("\n") + "\n"
            places[kind] += 1
            lines.append(line)
            size += len(line)
        yield "".join(lines)
