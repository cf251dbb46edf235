"""`from_bytes(...).best()`: the names that users of charset-normalizer know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import BinaryIO, overload

from codex.text.detection import Detection, detect
from codex.text.source import read_file

__all__ = ["Match", "Matches", "from_bytes", "from_fp", "from_path"]


class Match:
    """Bytes read in one encoding."""

    def __init__(
        self, raw: bytes, encoding: str, language: str | None, confidence: float, *, bom: bool
    ) -> None:
        self.raw = raw
        self.encoding = encoding
        """A name `bytes.decode` takes."""
        self.language = language or "Unknown"
        self.confidence = confidence
        self.bom = bom

    def __str__(self) -> str:
        return self.raw.decode(self.encoding, "replace")

    def __repr__(self) -> str:
        return f"<Match {self.encoding} {self.language}>"

    def output(self, encoding: str = "utf_8") -> bytes:
        """The text in another encoding."""
        return str(self).encode(encoding)


class Matches(Sequence[Match]):
    """The encodings bytes may be in, the likeliest first; none if they are no text."""

    def __init__(self, raw: bytes, detection: Detection) -> None:
        self._matches: list[Match] = []
        if detection.encoding:
            best = Match(
                raw,
                detection.encoding,
                detection.language,
                detection.confidence,
                bom=detection.byte_order_mark,
            )
            self._matches.append(best)
            for other in detection.alternatives:
                self._matches.append(
                    Match(raw, other.encoding, other.language, 1 - detection.confidence, bom=False)
                )

    def best(self) -> Match | None:
        """The likeliest, or None.

        >>> str(from_bytes("ça va très bien".encode("latin-1")).best())
        'ça va très bien'
        >>> from_bytes(b"\\x89PNG\\r\\n\\x1a\\n").best() is None
        True
        """
        return self._matches[0] if self._matches else None

    first = best

    @overload
    def __getitem__(self, place: int) -> Match: ...
    @overload
    def __getitem__(self, place: slice) -> list[Match]: ...
    def __getitem__(self, place: int | slice) -> Match | list[Match]:
        return self._matches[place]

    def __len__(self) -> int:
        return len(self._matches)

    def __iter__(self) -> Iterator[Match]:
        return iter(self._matches)


def from_bytes(sequences: bytes, *, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> Matches:
    """The encodings `sequences` may be in, out of those that `include` and `exclude` leave (as of `detect`).

    Raises:
        UsageError: if a name is unknown, or the lists leave nothing.

    >>> from_bytes(b"na\\xefve", include=["cp1250", "cp1252"]).best()
    <Match cp1252 fr>
    """
    return Matches(sequences, detect(sequences, include=include, exclude=exclude))


def from_path(
    path: str | PathLike[str], *, include: Iterable[str] = (), exclude: Iterable[str] = ()
) -> Matches:
    """The encodings the content of a file may be in, decompressed if it is compressed; otherwise as `from_bytes`.

    Raises:
        MissingDataError, MachineError: if the file cannot be read.
        UsageError: if a name is unknown, or the lists leave nothing.
    """
    return from_bytes(read_file(path), include=include, exclude=exclude)


def from_fp(fp: BinaryIO, *, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> Matches:
    """The encodings the rest of an open file may be in; otherwise as `from_bytes`."""
    return from_bytes(fp.read(), include=include, exclude=exclude)
