"""The corpora of files of a user's own: which files of a folder each of them takes, and what it takes them for."""

from __future__ import annotations

from pathlib import Path

from codex.data.corpora import VERSION_CONTROL, Corpus, CorpusKind
from codex.data.saved_datasets import leftover_files

__all__ = ["CODE", "CSV", "HF", "JSONL", "PARQUET", "TEXT"]

_COMPRESSED = ("", ".gz", ".bz2", ".xz", ".zst")
_PROSE = "txt text md markdown rst adoc org tex html htm xhtml"
_SOURCE = (
    "py pyi pyx rs go c h cc cpp cxx hpp hh cu cuh m mm java kt kts scala groovy clj cs fs vb swift js mjs cjs jsx ts tsx vue"
    " svelte rb php pl pm lua r jl hs ml mli ex exs erl elm dart zig nim d v sv vhd sh bash zsh fish ps1 bat sql proto thrift"
    " graphql f f90 f95 pas asm s lisp el scm rkt tcl cmake gradle css scss less"
)
_SOURCE_NAMES = ("Makefile", "Dockerfile", "CMakeLists.txt", "Rakefile", "Gemfile", "Justfile")
#: What tools put beside the code of a person.
_NOT_WRITTEN = (
    "node_modules",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    "site-packages",
    "*.min.js",
    "*.min.css",
)


def _endings(endings: str) -> tuple[str, ...]:
    return tuple(f"*.{ending}{packed}" for ending in endings.split() for packed in _COMPRESSED)


TEXT = CorpusKind(
    "prose: .txt, .md, .rst, .html and their like",
    lambda paths: Corpus(None, paths, _endings(_PROSE), VERSION_CONTROL, takes_any_name=True),
)
CODE = CorpusKind(
    "source code, without what tools put beside it",
    lambda paths: Corpus(
        None,
        paths,
        (*_endings(_SOURCE), *_SOURCE_NAMES),
        (*VERSION_CONTROL, *_NOT_WRITTEN),
        format="text",
        takes_any_name=True,
    ),
)
JSONL = CorpusKind(
    "lines of NDJSON, the text under `data.text_key`",
    lambda paths: Corpus(
        None, paths, _endings("jsonl ndjson"), VERSION_CONTROL, format="jsonl", takes_any_name=True
    ),
)
CSV = CorpusKind(
    "rows of .csv and .tsv, the text in `data.text_key`",
    lambda paths: Corpus(None, paths, _endings("csv tsv"), VERSION_CONTROL),
)
PARQUET = CorpusKind(
    "rows of Parquet, the text in `data.text_key`",
    lambda paths: Corpus(None, paths, ("*.parquet",), VERSION_CONTROL, format="parquet", takes_any_name=True),
    needs="pyarrow",
)


def _find_saved(paths: tuple[Path, ...]) -> Corpus:
    return Corpus(None, paths, ("*.arrow", "*.parquet"), (*VERSION_CONTROL, *leftover_files(paths)))


HF = CorpusKind(
    "folders that `datasets` saved, or Parquet of the hub",
    _find_saved,
    needs="pyarrow",
    is_local=True,
)
