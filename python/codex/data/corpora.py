"""Corpora: what is read, before anything is read.

A corpus is a list of places and the rules that say which of the files below them belong to it. The rules are
part of what a manifest records; a file that a rule sets aside is no part of the corpus, a file that belongs
to it and cannot be read is listed as skipped.

A name of the registry stands for a `CorpusKind`: one that is there by itself, or one for places of a user's own.
An installed package adds its own under the entry points `codex.corpora`.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codex.errors import ConfigError, MissingDataError, RegistryError
from codex.registry import Registry

if TYPE_CHECKING:
    from codex.config.schema import Data

__all__ = [
    "PYTHON_STDLIB",
    "VERSION_CONTROL",
    "Corpus",
    "CorpusKind",
    "corpora",
    "corpus_kind",
    "corpus_of",
    "python_stdlib",
    "user_paths",
]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]")
#: Folders in which version control keeps what it knows.
VERSION_CONTROL = (".git", ".hg", ".svn")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Places to read and the rules of what belongs to the corpus; globs as in `codex.data.listing`."""

    name: str | None
    """Its name in the registry; None for paths a user gave."""
    roots: tuple[Path, ...]
    """Files and folders, read with everything below them."""
    addresses: tuple[str, ...] = field(default=(), kw_only=True)
    """The same elsewhere: `s3://bucket/folder`."""
    include: tuple[str, ...] = ()
    """Globs of the files that belong to it; empty for all."""
    exclude: tuple[str, ...] = ()
    """Globs of the files and folders that do not; they win over `include`."""
    format: str = "auto"
    """What its files are, unless `data.format` says so."""
    takes_any_name: bool = False
    """Whether a file that is a place of its own belongs to it whatever it is called."""

    def places(self) -> dict[str, Any]:
        """Where it is on this machine, in plain JSON values; nothing if a path is none of text."""
        roots = [os.path.normpath(root.absolute()) for root in self.roots]
        try:
            "".join(roots).encode()
        except UnicodeEncodeError:
            return {}
        return {"roots": roots, "addresses": list(self.addresses), "takes_any_name": self.takes_any_name}


@dataclass(frozen=True, slots=True)
class CorpusKind:
    """What a name of the registry stands for.

    >>> from codex.config.schema import Data
    >>> MINE = CorpusKind("all of a folder", lambda paths: Corpus(None, paths, include=("*.log",)))
    >>> MINE.find((Path("logs"),)).include
    ('*.log',)
    """

    about: str
    """One line for `codex data list`."""
    find: Callable[[tuple[Path, ...]], Corpus]
    """The corpus in these places, as this machine has it."""
    takes_paths: bool = True
    """Whether it is in places of the user's own; else it is there by itself, and is found with none."""
    needs: str | None = None
    """The module of an extra that its files are read with."""
    is_local: bool = False
    """Whether its places are folders of this machine, and no addresses."""


def python_stdlib() -> Corpus:
    """The library of the running interpreter: its own modules, without its tests and without what users
    installed.

    In a virtual environment it is the library of the interpreter the environment was made from.

    >>> python_stdlib().include
    ('*.py',)
    """
    folder = Path(sysconfig.get_path("stdlib"))
    if not folder.is_dir():
        raise MissingDataError(
            f"corpus `python-stdlib`: this interpreter has no library folder at `{folder}`",
            hint="name files or folders of your own: `data.corpus=null data.paths=[FOLDER]`",
        )
    return Corpus(
        name="python-stdlib",
        roots=(folder,),
        include=("*.py",),
        exclude=(
            "site-packages",
            "dist-packages",
            "test",
            "tests",
            "__pycache__",
            "ensurepip/_bundled",
            "lib2to3/tests/data",
        ),
    )


PYTHON_STDLIB = CorpusKind(
    "the running Python's library, without tests and packages",
    lambda paths: python_stdlib(),
    takes_paths=False,
)


def user_paths(paths: tuple[str, ...]) -> Corpus:
    """Files, folders and addresses of a user's own, with everything below them but the insides of version control."""
    paths = tuple(path.removeprefix("file://") for path in paths)
    addresses = tuple(path.rstrip("/") for path in paths if _ADDRESS.match(path))
    roots = tuple(Path(path).expanduser() for path in paths if not _ADDRESS.match(path))
    return Corpus(None, roots, exclude=VERSION_CONTROL, addresses=addresses)


corpora = Registry(
    "corpus",
    {
        "python-stdlib": "codex.data.corpora:PYTHON_STDLIB",
        "text": "codex.data.kinds:TEXT",
        "code": "codex.data.kinds:CODE",
        "jsonl": "codex.data.kinds:JSONL",
        "csv": "codex.data.kinds:CSV",
        "parquet": "codex.data.kinds:PARQUET",
        "hf": "codex.data.kinds:HF",
    },
    group="codex.corpora",
)
"""Name -> its `CorpusKind`."""


def corpus_kind(name: str) -> CorpusKind:
    """What the registry holds under `name`.

    Raises:
        RegistryError: if it holds nothing, or what an installed package registers is none.
    """
    kind = corpora[name]
    if not isinstance(kind, CorpusKind):
        raise RegistryError(f"corpus `{name}` is a {type(kind).__name__}, expected a `CorpusKind`")
    return kind


def corpus_of(data: Data) -> Corpus:
    """The corpus that section `data` of a configuration names.

    Raises:
        RegistryError: if no corpus has that name.
        ConfigError: if it wants places and `data.paths` has none, or the other way round.
        MissingDataError: if this machine does not have it.
    """
    if data.corpus is None:
        return user_paths(data.paths)
    kind = corpus_kind(data.corpus)
    if kind.takes_paths and not data.paths:
        raise ConfigError(
            f"corpus `{data.corpus}` is in places of your own, and `data.paths` is an empty list",
            hint="`data.paths=[FOLDER]` names them",
        )
    if data.paths and not kind.takes_paths:
        raise ConfigError(
            f"corpus `{data.corpus}` is there by itself, and `data.paths` lists {len(data.paths)}",
            hint="`data.corpus=null` reads the paths, `data.paths=[]` reads the corpus",
        )
    places = user_paths(data.paths)
    if kind.is_local and places.addresses:
        raise ConfigError(
            f"corpus `{data.corpus}` is in folders of this machine, and `{places.addresses[0]}` is none",
            hint="copy it here first",
        )
    return replace(kind.find(places.roots), name=data.corpus, addresses=places.addresses)
