"""What a configuration reads: its corpus, how the files are read, and which there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from codex.data.corpora import Corpus, corpus_of
from codex.data.formats import Reading, is_streamed, require_readers
from codex.data.listing import Listing, list_files
from codex.data.progress import Progress
from codex.data.remote import bring, stored_files

if TYPE_CHECKING:
    from codex.config.schema import Data

__all__ = ["Source", "list_source", "source_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """The raw files of a configuration, before any of them is read."""

    corpus: Corpus
    reading: Reading
    listing: Listing

    def bring(self, cache: Path, progress: Progress) -> None:
        """Copy what lies elsewhere to the cache, so that every file of the listing is on this machine."""
        bring(self.listing, cache, progress)


def source_of(data: Data, *, not_input: Iterable[Path] = ()) -> Source:
    """List what section `data` of a configuration reads.

    Args:
        data: the section.
        not_input: files and folders of ours that may lie below a place, as in `list_files`.

    Raises:
        MissingDataError: if the corpus is not on this machine.
        MissingExtraError: if a file of it is read with an extra that is not installed.
        MachineError: if a place elsewhere cannot be reached.
        ConfigError: if no corpus has that name, or a glob is none.
    """
    corpus = corpus_of(data)
    chosen = corpus.format if data.format == "auto" else data.format
    reading = Reading(chosen, data.encoding, data.text_key, data.maximum_file_bytes)
    return list_source(corpus, reading, include=data.include, exclude=data.exclude, not_input=not_input)


def list_source(
    corpus: Corpus,
    reading: Reading,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    not_input: Iterable[Path] = (),
) -> Source:
    """The same of a corpus that is known already, and how its files are read."""
    listing = list_files(
        corpus,
        include=include,
        exclude=exclude,
        maximum_file_bytes=reading.maximum_file_bytes,
        not_input=not_input,
        is_streamed=partial(is_streamed, chosen=reading.format),
        stored={address: stored_files(address) for address in corpus.addresses},
    )
    names = chain((found.name for found in listing.files), (remote.name for remote in listing.away))
    require_readers(names, reading.format)
    return Source(corpus, reading, listing)
