"""What a tokenizer learns from: texts, text files and records, each known by a digest afterwards.

A `Path` is a file, a string is a text. A file whose name holds `.ndjson` has records, any other is one text of UTF-8; both may be
compressed. No file is in memory as a whole.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codex import _core
from codex.errors import UsageError
from codex.file import digest_file
from codex.records import read_records
from codex.tokens.batches import batches

__all__ = ["Inputs", "Progress"]

#: Called with what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], object]


@dataclass
class Inputs:
    """Counts the words of inputs, and remembers by digest what they were.

    Args:
        counts: where words are counted.
        digests: whether inputs are digested, which reads files once more.
    """

    counts: _core.WordCounts
    by_line: bool = False
    threads: int | None = None
    digests: bool = False
    progress: Progress = lambda stage, done, total: None
    files: list[tuple[str, int]] = field(default_factory=list)
    _digest_of_texts: hashlib._Hash = field(default_factory=hashlib.sha256)
    _bytes_of_texts: int = 0
    _texts: int = 0

    def take(self, items: str | Path | Iterable[str | Path]) -> None:
        """Count one input or several.

        Raises:
            MissingDataError, DataError: if a file cannot be read, is no UTF-8, or has a bad record; nothing goes on after it.
            UsageError: for something else than a string or a path.
        """
        if isinstance(items, str | Path):
            items = [items]
        for batch in batches(self._texts_of(items), len):
            self.counts.add_texts(batch, self.threads)

    def _texts_of(self, items: Iterable[str | Path]) -> Iterator[str]:
        for item in items:
            if isinstance(item, str):
                if self.digests:
                    self._digest(item)
                yield item
            elif isinstance(item, Path):
                yield from self._texts_of_file(item)
            else:
                raise UsageError(
                    f"an input is a {type(item).__name__}, expected a text (str) or a file (Path)"
                )

    def _texts_of_file(self, path: Path) -> Iterator[str]:
        if self.digests:
            found = digest_file(path)
            self.files.append((found.digest, found.bytes))
        if ".ndjson" in path.suffixes:
            yield from (record.text for record in read_records(path))
        else:
            total = 0
            with contextlib.suppress(OSError):  # which counting tells with its path
                total = path.stat().st_size

            def told(done: int) -> None:
                self.progress(f"read {path.name}", min(done, total), total)

            self.counts.add_file(path, self.by_line, self.threads, told)

    def _digest(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._digest_of_texts.update(len(data).to_bytes(8, "little") + data)
        self._texts += 1
        self._bytes_of_texts += len(data)

    def identities(self) -> list[dict[str, Any]]:
        """Digest and bytes of each file, by digest, and of all texts in their order, each with its length before it."""
        listed: list[dict[str, Any]] = [
            {"kind": "file", "bytes": size, "digest": digest} for digest, size in sorted(self.files)
        ]
        if self._texts:
            digest = f"sha256:{self._digest_of_texts.hexdigest()}"
            texts = {"kind": "texts", "texts": self._texts, "bytes": self._bytes_of_texts, "digest": digest}
            listed.append(texts)
        return listed
