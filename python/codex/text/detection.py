"""Which encoding bytes are in, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codex import _core
from codex.text.declared import NewlineCounts
from codex.text.names import limits

__all__ = ["Alternative", "Detection", "Detector", "detect", "is_binary"]


@dataclass(frozen=True, slots=True)
class Alternative:
    """An answer that was not given."""

    encoding: str
    language: str
    nats_behind: float
    """How much less likely it is than the answer: the difference of ln P."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What some bytes are."""

    encoding: str | None
    """A name `bytes.decode` takes, under which all but `errors` places decode; None if the bytes are no text."""
    language: str | None
    """The language whose model the answer rests on, such as `de`; None where no model was asked."""
    confidence: float
    """From 0 to 1: how far the next best answer is behind."""
    byte_order_mark: bool
    """Whether the bytes begin with one; `encoding` is then one that drops it."""
    errors: int
    """How many places do not decode."""
    places: tuple[int, ...]
    """Offsets of the first of them, as far as they are known."""
    newline_counts: NewlineCounts
    """The newlines among the bytes."""
    alternatives: tuple[Alternative, ...]
    """The answers that were less likely, the best first."""
    why: str
    """The reason in a few words."""

    @property
    def is_binary(self) -> bool:
        """Whether the bytes are no text."""
        return self.encoding is None


def detect(
    data: bytes, *, include: Iterable[str] = (), exclude: Iterable[str] = (), hint: str | None = None
) -> Detection:
    """The encoding of `data`; the interpreter is released meanwhile.

    Every byte is looked at, wherever it stands. Mostly valid UTF-8 is UTF-8 with errors.

    Args:
        data: the bytes.
        include: the encodings to choose from; all if there are none.
        exclude: encodings that are not the answer.
        hint: the encoding that is expected; taken where the bytes fit it about as well as the likeliest.
    Raises:
        UsageError: if a name is unknown, or the lists leave nothing.

    >>> detect("Zażółć gęślą jaźń".encode("cp1250")).encoding
    'cp1250'
    >>> detect(b"caf\\xc3\\xa9, cr\\xe8me, th\\xc3\\xa9, p\\xc3\\xa2t\\xc3\\xa9").errors
    1
    >>> detect(bytes(range(256)) * 4).is_binary
    True
    >>> detect(b"na\\xefve", include=["cp1250", "cp1252"]).encoding
    'cp1252'
    """
    return _detection(_core.text_detect(data, *limits(include, exclude, hint)))


def is_binary(data: bytes) -> bool:
    """Whether `data` is no text in any encoding.

    >>> is_binary(b"\\x7fELF\\x02\\x01\\x01"), is_binary("добрый день".encode("koi8-r"))
    (True, False)
    """
    return detect(data).is_binary


class Detector:
    """Finds the encoding of bytes that come in pieces, in bounded memory; how they are cut changes nothing.

    Arguments as of `detect`.

    >>> detector = Detector()
    >>> for piece in (b"\\xf0\\x9f", b"\\x98\\x80"):
    ...     detector.feed(piece)
    >>> detector.close().encoding
    'utf-8'
    """

    def __init__(
        self, *, include: Iterable[str] = (), exclude: Iterable[str] = (), hint: str | None = None
    ) -> None:
        self._detector = _core.TextDetector(*limits(include, exclude, hint))

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises:
            ValueError: after `close`.
        """
        self._detector.feed(data)

    def close(self) -> Detection:
        """The answer for all bytes fed.

        Raises:
            ValueError: the second time.
        """
        return _detection(self._detector.close())


def _detection(found: _core._TextFound) -> Detection:
    encoding, language, confidence, mark, errors, places, newlines, others, why = found
    return Detection(
        encoding=encoding,
        language=language,
        confidence=confidence,
        byte_order_mark=mark,
        errors=errors,
        places=tuple(places),
        newline_counts=NewlineCounts(*newlines),
        alternatives=tuple(Alternative(*other) for other in others),
        why=why,
    )
