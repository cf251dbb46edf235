"""Documents for scripts: a corpus as it is read, one document after the other, and a text in pieces.

Nothing is written and nothing kept: duplicates stay, for what is a duplicate is known only at the end. `codex data ingest` makes
records of the same corpus.
"""

from __future__ import annotations

import difflib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from os import PathLike, fspath
from typing import Any

from codex.data.formats import Dropped, documents_of, is_streamed
from codex.data.listing import Found, Skipped
from codex.data.progress import Silent
from codex.data.source import Source, source_of
from codex.data.store import cache_folder
from codex.data.units import kind_of, reason_of
from codex.errors import ChangedError, ConfigError, DataError, MachineError, MissingDataError, UsageError
from codex.file import digest_file
from codex.records import Record, record_id
from codex.records import Source as Origin
from codex.text import open_text

__all__ = ["Dataset", "get_dataset", "stream_texts"]

_LISTED = 1000


class Dataset:
    """The documents of a corpus in the order of its files; every loop over it reads them anew.

    What is no document is counted in `dropped` by reason, and listed in `skipped`, as far as the last loop came.
    """

    def __init__(self, source: Source, fallback: str | None = None) -> None:
        self._source = source
        self.name = source.corpus.name
        """Of the corpus; None for all of some places."""
        self.fallback = fallback
        """Why this is what `fallback_path` holds, and not the corpus that was asked for; None if it is that."""
        self._forget()

    @property
    def files(self) -> list[str]:
        """The names of the files it reads."""
        return [found.name for found in self._source.listing.files]

    def __iter__(self) -> Iterator[Record]:
        self._forget()
        for found in self._source.listing.files:
            try:
                yield from self._documents(found)
            except ChangedError:
                raise
            except (DataError, MachineError) as error:
                self._drop(found, reason_of(error.message), None)

    def _documents(self, found: Found) -> Iterator[Record]:
        reading = self._source.reading
        # A file of one document is held against its digest, so that it is no mixture of two moments.
        digest = "" if is_streamed(found.name, reading.format) else digest_file(found.path).digest
        for document in documents_of(found, digest, reading):
            if isinstance(document, Dropped):
                self._drop(found, document.reason, document.row)
            elif not document.text:
                self._drop(found, "empty", document.row)
            else:
                origin = Origin(found.name, encoding=document.encoding, errors=document.errors)
                meta = None if document.row is None else {"row": document.row}
                yield Record(record_id(document.text), document.text, origin, meta)

    def _drop(self, found: Found, reason: str, row: int | None) -> None:
        kind = kind_of(reason)
        self.dropped[kind] += 1
        if row is None:
            self.skipped.append(Skipped(found.name, reason, found.bytes))
        elif self.dropped[kind] <= _LISTED:
            self.skipped.append(Skipped(f"{found.name}#{row}", reason, 0))

    def _forget(self) -> None:
        self.skipped = list(self._source.listing.skipped)
        self.dropped = Counter(kind_of(entry.reason) for entry in self.skipped)


def get_dataset(
    name: str | None = "python-stdlib",
    paths: Sequence[str | PathLike[str]] = (),
    *,
    fallback_path: str | PathLike[str] | None = None,
    say: Callable[[str], object] | None = None,
    **options: Any,
) -> Dataset:
    """The documents of a corpus, as a stream of records.

    Args:
        name: a corpus of `codex data list`; None for all that is in `paths`.
        paths: the places it is in, for a corpus that is in places.
        fallback_path: read instead, whatever it holds, if the corpus is not there.
        say: told of it in one line; default standard error. Nothing is ever replaced without a word.
        options: further keys of section `data` of a configuration: `text_key`, `include`, `exclude`, `format`, ...

    Raises:
        RegistryError: if no corpus has that name; the hint is the nearest.
        ConfigError: if it is in places and there are none, or an option is none.
        MissingDataError: if it is not there, and neither is a `fallback_path`.
        MissingExtraError: if a file is read with an extra that is not installed.

    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as home:
    ...     _ = Path(home, "rows.jsonl").write_text('{"body": "one"}\\n{"body": 2}\\n{"body": "three"}\\n')
    ...     dataset = get_dataset("jsonl", [home], text_key="body")
    ...     for record in dataset:
    ...         print(record.text, record.source.path, record.meta)
    ...     dict(dataset.dropped)
    one rows.jsonl {'row': 0}
    three rows.jsonl {'row': 2}
    {'no text': 1}
    """
    try:
        return Dataset(_source(name, paths, options))
    except MissingDataError as error:
        if fallback_path is None:
            raise
        reason = error.message
    dataset = Dataset(_source(None, [fallback_path], options), fallback=reason)
    wanted = name or ", ".join(fspath(path) for path in paths)
    (say or _to_stderr)(f"corpus {wanted} is not there ({reason}): reading `{fspath(fallback_path)}` instead")
    return dataset


def stream_texts(path: str | PathLike[str], chunk_size: int = 1 << 16) -> Iterator[str]:
    """The text of a file of any size, plain or compressed, in pieces of `chunk_size` characters; the last may be shorter.

    The encoding is found as `codex.text.open_text` finds it; memory holds a piece or two.

    Raises:
        UsageError: if `chunk_size` is not positive.
        MissingDataError: if there is no such file.
        DataError: if it is no text, or changes while it is read.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write("später am Tag\\r\\n".encode("utf-16"))
    ...     file.flush()
    ...     list(stream_texts(file.name, 6))
    ['später', ' am Ta', 'g\\n']
    """
    if chunk_size < 1:
        raise UsageError(f"`chunk_size` is {chunk_size}, expected at least 1")
    return _chunks(open_text(path), chunk_size)


def _chunks(pieces: Iterator[str], size: int) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        rest += piece
        whole = len(rest) - len(rest) % size
        for start in range(0, whole, size):
            yield rest[start : start + size]
        rest = rest[whole:]
    if rest:
        yield rest


def _source(name: str | None, paths: Sequence[str | PathLike[str]], options: dict[str, Any]) -> Source:
    from pydantic import ValidationError  # for who asks: it takes a while

    from codex.config.schema import Data

    for key in options:
        if key not in Data.model_fields:
            near = difflib.get_close_matches(key, Data.model_fields, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "`codex config show` lists them"
            raise ConfigError(f"`{key}` is no key of section `data`", hint=hint)
    try:
        data = Data(corpus=name, paths=tuple(fspath(path) for path in paths), **options)
    except ValidationError as error:
        first = error.errors()[0]
        where, what = ".".join(map(str, first["loc"])), first["msg"]
        raise ConfigError(f"`{where}` is {first['input']!r}: {what[:1].lower()}{what[1:]}") from None
    source = source_of(data)
    source.bring(cache_folder(), Silent())
    return source


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
