"""List the files of a corpus: every one found, named relative to the corpus, in one order on every machine.

Nothing leaves the places named: symbolic links below them are listed as skipped and never followed (a place
that is itself a link is followed, for the user named it), and what is no regular file is never opened.

A glob without a slash matches a name at any depth (`*.py`, `node_modules`); one with a slash matches from the
top of the corpus (`docs/*.md`); `**` stands for any number of folders. Whatever matches a folder matches
everything in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from codex import _core
from codex.data.corpora import Corpus
from codex.errors import ChangedError, ConfigError, DataError, MissingDataError
from codex.storage import StoredFile

__all__ = [
    "Files",
    "Found",
    "Listing",
    "Remote",
    "Skipped",
    "changed",
    "glob_matcher",
    "list_files",
    "name_roots",
    "stamp_of",
]


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file of the corpus."""

    name: str
    """Path relative to the corpus, with `/`; bytes of a file name that are not UTF-8 appear as `\\xe9`."""
    path: Path
    """Where it is on this machine."""
    bytes: int
    stamp: tuple[int, int, int, int]
    """Device, inode, size and time of the last change in ns: another stamp, another content."""

    def is_unchanged(self) -> bool:
        """Whether its stamp is still what it was."""
        try:
            return stamp_of(self.path.stat()) == self.stamp
        except OSError:
            return False


class Files:
    """Files of a corpus in the order of their names, in a hundred bytes and the name each; what comes out is a `Found`."""

    def __init__(self) -> None:
        self.raw = _core.RawFiles()

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, number: int) -> Found:
        name, path, device, inode, size, modified_ns = self.raw[number]
        return Found(name, path, size, (device, inode, size, modified_ns))

    def __iter__(self) -> Iterator[Found]:
        return (self[number] for number in range(len(self)))

    @property
    def totals(self) -> tuple[int, int]:
        """How many of them can be read, as far as is known, and the bytes of these."""
        return self.raw.totals()

    def bytes_of(self, name: str) -> int:
        """How long the file of that name is.

        Raises:
            KeyError: if there is none.
        """
        number = self.raw.find(name)
        if number is None:
            raise KeyError(name)
        return self.raw.bytes_of(number)


@dataclass(frozen=True, slots=True)
class Skipped:
    """What belongs to the corpus and is not in it, and why."""

    path: str
    reason: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of the corpus that is not on this machine."""

    name: str
    """Path relative to the corpus, with `/`."""
    address: str
    """Of the place it lies in."""
    file: StoredFile
    """As the place lists it."""


@dataclass(slots=True)
class Listing:
    """What a corpus holds, each list in the order of its names."""

    files: Files = field(default_factory=Files)
    away: list[Remote] = field(default_factory=list)
    """Files that `codex.data.remote.bring` copies here."""
    skipped: list[Skipped] = field(default_factory=list)
    set_aside: int = 0
    """Files and folders that a glob kept out; a folder counts as one."""

    @property
    def totals(self) -> tuple[int, int]:
        """How many files, and their bytes, wherever they lie."""
        files, size = self.files.totals
        return files + len(self.away), size + sum(remote.file.bytes for remote in self.away)


def list_files(
    corpus: Corpus,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    maximum_file_bytes: int,
    not_input: Iterable[Path] = (),
    is_streamed: Callable[[str], bool] = lambda name: False,
    stored: Mapping[str, tuple[str, Sequence[StoredFile]]] = MappingProxyType({}),
) -> Listing:
    """List a corpus without reading any of its files.

    Args:
        corpus: the places and their own globs.
        include, exclude: further globs; a file must pass both pairs.
        maximum_file_bytes: above it, a file is listed as skipped.
        not_input: files and folders of ours that may lie below a place, such as the cache: never part of a
            corpus.
        is_streamed: says of a name whether the file is read as a stream, so that it may be of any size.
        stored: of each address of the corpus, the place and the files there.

    Raises:
        MissingDataError: if a place does not exist.
        DataError: if a place can not be read, or is neither file nor folder.
    """
    walk = _Walk(corpus, include, exclude, maximum_file_bytes, not_input, is_streamed)
    for name, root in name_roots((*corpus.roots, *corpus.addresses)):
        if isinstance(root, str):
            walk.stored(name, root, *stored[root])
        else:
            walk.root(name, root)
    walk.listing.files.raw.sort()
    walk.listing.away.sort(key=lambda remote: remote.name)
    walk.listing.skipped.sort(key=lambda skipped: skipped.path)
    return walk.listing


def name_roots(roots: Sequence[Path | str]) -> list[tuple[str, Path | str]]:
    """Each place with the name that stands before what is found in it: empty for a lone one, else as short as
    tells them apart. A string is an address.

    >>> name_roots([Path("/a/docs"), Path("/b/docs"), "s3://b/more"])
    [('a/docs', PosixPath('/a/docs')), ('b/docs', PosixPath('/b/docs')), ('more', 's3://b/more')]
    """
    places = sorted({_normal(root) for root in roots}, key=str)
    if len(places) == 1:
        return [("", places[0])]
    lengths = dict.fromkeys(places, 1)
    while True:
        names = {
            place: "/".join(_printable(part) for part in _parts(place)[-lengths[place] :]) for place in places
        }
        taken = list(names.values())
        unclear = [place for place in places if taken.count(names[place]) > 1]
        if not unclear:
            return [(names[place], place) for place in places]
        for place in unclear:
            lengths[place] += 1


def _normal(root: Path | str) -> Path | str:
    return root if isinstance(root, str) else Path(os.path.normpath(root.absolute()))


def _parts(place: Path | str) -> Sequence[str]:
    return place.split("/") if isinstance(place, str) else place.parts


def glob_matcher(globs: Sequence[str]) -> _core.Globs:
    """Says by `matches` whether a name, or a folder above it, matches one of `globs`.

    Raises:
        ConfigError: if one is none.

    >>> matcher = glob_matcher(["*.py", "docs/**/old"])
    >>> [matcher.matches(name) for name in ("a/b.py", "docs/x/y/old/z.txt", "more/docs/old")]
    [True, True, False]
    """
    try:
        return _core.Globs(globs)
    except ValueError as error:
        raise ConfigError(str(error), hint="`[a-z]` wants its ends in order") from None


def _printable(name: str) -> str:
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


_SPECIAL = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class _Walk:
    def __init__(
        self,
        corpus: Corpus,
        include: Sequence[str],
        exclude: Sequence[str],
        maximum_file_bytes: int,
        not_input: Iterable[Path],
        is_streamed: Callable[[str], bool],
    ) -> None:
        self.listing = Listing()
        self._of_corpus = glob_matcher(corpus.include or ["**"])
        self._takes_any_name = corpus.takes_any_name
        self._wanted = glob_matcher(include or ["**"])
        self._unwanted = glob_matcher((*corpus.exclude, *exclude))
        self._maximum = maximum_file_bytes
        self._is_streamed = is_streamed
        self._not_input = list(_identities(not_input))

    def root(self, name: str, path: Path) -> None:
        try:
            status = path.stat()
        except FileNotFoundError:
            raise MissingDataError(
                f"`{path}` does not exist, expected a file or folder of the corpus",
                hint="check `data.paths`; a relative path starts at the working directory",
            ) from None
        except OSError as error:
            raise DataError(f"`{path}` of the corpus cannot be read: {_why(error)}") from None
        if stat.S_ISDIR(status.st_mode):
            try:
                os.scandir(path).close()
            except OSError as error:
                raise DataError(f"folder `{path}` of the corpus cannot be read: {_why(error)}") from None
            self._folder(name, path)
        elif stat.S_ISREG(status.st_mode):
            name = name or _printable(path.name)
            if self._unwanted.matches(name) or not self._is_wanted(name, takes_any=self._takes_any_name):
                self.listing.set_aside += 1
            else:
                self._of_size(name, path, stamp_of(status))
        else:
            kind = _SPECIAL.get(stat.S_IFMT(status.st_mode), "something else")
            raise DataError(f"`{path}` of the corpus is {kind}, expected a file or folder")

    def stored(self, name: str, root: str, address: str, files: Sequence[StoredFile]) -> None:
        for file in files:
            is_place = root != address  # it is the file itself
            inner = "/".join(filter(None, (name, "" if name and is_place else file.path)))
            takes_any = is_place and self._takes_any_name
            if not self._is_wanted(inner, takes_any=takes_any) or self._unwanted.matches(inner):
                self.listing.set_aside += 1
            elif self._is_too_large(inner, file.bytes):
                self._skip_large(inner, file.bytes)
            else:
                self.listing.away.append(Remote(inner, address, file))

    def _folder(self, name: str, path: Path) -> None:
        set_aside, skipped, large = self.listing.files.raw.walk(
            name, path, self._of_corpus, self._wanted, self._unwanted, self._maximum, self._not_input
        )
        self.listing.set_aside += set_aside
        self.listing.skipped += [Skipped(inner, reason, 0) for inner, reason in skipped]
        for inner, file, stamp in large:
            self._of_size(inner, file, stamp)

    def _of_size(self, name: str, path: Path, stamp: tuple[int, int, int, int]) -> None:
        size = stamp[2]
        if self._is_too_large(name, size):
            self._skip_large(name, size)
        else:
            self.listing.files.raw.append(name, path, stamp)

    def _is_wanted(self, name: str, *, takes_any: bool) -> bool:
        return (takes_any or self._of_corpus.matches(name)) and self._wanted.matches(name)

    def _is_too_large(self, name: str, size: int) -> bool:
        return size > self._maximum and not self._is_streamed(name)

    def _skip_large(self, name: str, size: int) -> None:
        self._skip(name, f"too large: more than {self._maximum} bytes", size)

    def _skip(self, name: str, reason: str, size: int) -> None:
        self.listing.skipped.append(Skipped(name, reason, size))


def changed(found: Found) -> ChangedError:
    """What is raised when a file is no longer the one that was listed."""
    return ChangedError(
        f"`{found.path}` changed while the corpus was being read", hint="run again once nothing writes to it"
    )


def stamp_of(status: os.stat_result) -> tuple[int, int, int, int]:
    """What tells one state of a file from the next without reading it."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _identities(paths: Iterable[Path]) -> Iterator[tuple[int, int]]:
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        yield status.st_dev, status.st_ino
