"""Corpora: what is read, before anything is read.

A corpus is a list of places and the rules that say which of the files below them belong to it. The rules are
part of what a manifest records; a file that a rule sets aside is no part of the corpus, a file that belongs
to it and cannot be read is listed as skipped.
"""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codex.errors import MissingDataError
from codex.registry import Registry

if TYPE_CHECKING:
    from codex.config.schema import Data

__all__ = ["Corpus", "corpora", "corpus_of", "python_stdlib", "user_paths"]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Places to read and the rules of what belongs to the corpus; globs as in `codex.data.listing`."""

    name: str | None
    """Its name in the registry; None for paths a user gave."""
    about: str
    """One line for `codex data list`."""
    roots: tuple[Path, ...]
    """Files and folders, read with everything below them."""
    include: tuple[str, ...] = ()
    """Globs of the files that belong to it; empty for all."""
    exclude: tuple[str, ...] = ()
    """Globs of the files and folders that do not; they win over `include`."""


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
        about="the running Python's own library, without tests and packages",
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


def user_paths(paths: tuple[str, ...]) -> Corpus:
    """Files and folders of a user's own, with everything below them but the insides of version control."""
    return Corpus(
        name=None,
        about="files and folders of your own (`data.paths`)",
        roots=tuple(Path(path).expanduser() for path in paths),
        exclude=(".git", ".hg", ".svn"),
    )


#: Name -> the function that finds it on this machine.
corpora = Registry("corpus", {"python-stdlib": "codex.data.corpora:python_stdlib"})


def corpus_of(data: Data) -> Corpus:
    """The corpus that section `data` of a configuration names, with the section's own globs added.

    Raises:
        RegistryError: if no corpus has that name.
        MissingDataError: if this machine does not have it.
    """
    found: Corpus = corpora[data.corpus]() if data.corpus is not None else user_paths(data.paths)
    return found
