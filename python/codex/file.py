"""Bytes on disk that stay what they were: durable writes, digests, manifests, locks, logs.

Everything in codex that writes, writes through here: a file or a folder appears under its name whole and synced, or not
at all, whatever kills the process or the machine. `docs/file.md` tells how. A path is a string or a `Path`; data is
`bytes` or another buffer, which is copied once. The interpreter is released while the disk works.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from codex import _core
from codex._core import (
    AppendLog,
    FailPoints,
    Lock,
    PartialFile,
    PartialFolder,
    create_folder,
    free_bytes,
    require_space,
    sweep_partial,
)
from codex.errors import DataError, UsageError

__all__ = [
    "READ_LIMIT_BYTES",
    "AppendLog",
    "FailPoints",
    "FileDigest",
    "Lock",
    "PartialFile",
    "PartialFolder",
    "TensorLayout",
    "canonical_json",
    "create_folder",
    "digest_bytes",
    "digest_file",
    "free_bytes",
    "list_files",
    "read_bytes",
    "read_manifest",
    "require_space",
    "safetensors_header",
    "safetensors_layout",
    "seal_manifest",
    "sweep_partial",
    "verify_folder",
    "write_atomic",
    "write_manifest",
]

AnyPath: TypeAlias = str | PathLike[str]
Bytes: TypeAlias = bytes | bytearray | memoryview

READ_LIMIT_BYTES = 1 << 30  #: What `read_bytes` holds in memory at most, unless told otherwise.


class FileDigest(NamedTuple):
    """The length of a file and the digest of its content."""

    bytes: int
    digest: str


class TensorLayout(NamedTuple):
    """One tensor of a safetensors file; its bytes are counted from the end of the header."""

    name: str
    dtype: str
    shape: list[int]
    start: int
    end: int


def write_atomic(path: AnyPath, data: Bytes, *, durable: bool = True) -> None:
    """Replace the content of `path` in one step that survives a power cut.

    Args:
        path: where.
        data: what.
        durable: whether to wait for the disk; if not, a power cut may leave anything there.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     write_atomic(f"{home}/note.txt", b"whole")
    ...     read_bytes(f"{home}/note.txt")
    b'whole'
    """
    _core.write_atomic(path, data, durable)


def digest_bytes(data: Bytes, algorithm: str = "sha256") -> str:
    """The digest of `data`: `sha256` for identity, `xxh3-128` against damage at the speed of memory.

    >>> digest_bytes(b"abc", "xxh3-128")
    'xxh3-128:06b05ab6733a618578af5f94892f3950'
    """
    return _core.digest_bytes(data, algorithm)


def digest_file(path: AnyPath, algorithm: str = "sha256") -> FileDigest:
    """The length and digest of a file, read in blocks."""
    return FileDigest(*_core.digest_file(path, algorithm))


def read_bytes(path: AnyPath, *, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
    """The plain bytes of a file, unpacked if its magic number says gz, bz2, xz or zst; `DataError` beyond the limit."""
    return _core.read_bytes(path, limit_bytes)


def safetensors_header(
    tensors: Sequence[tuple[str, str, Sequence[int]]], metadata: Mapping[str, str] | None = None
) -> tuple[bytes, list[TensorLayout]]:
    """The header for tensors of (name, dtype, shape), and the order in which their bytes follow it."""
    header, layout = _core.safetensors_header(tensors, dict(metadata or {}))
    return header, [TensorLayout(*tensor) for tensor in layout]


def safetensors_layout(path: AnyPath) -> tuple[list[TensorLayout], dict[str, str], int]:
    """The tensors and the notes of a safetensors file, strictly checked, and the bytes before its first tensor."""
    tensors, metadata, data_start = _core.safetensors_layout(path)
    return [TensorLayout(*tensor) for tensor in tensors], metadata, data_start


def canonical_json(value: object) -> bytes:
    """`value` as canonical JSON (RFC 8785): one value, one sequence of bytes.

    Raises:
        UsageError: if it is not plain JSON: dicts with string keys, lists, strings, finite numbers, booleans, None.
        DataError: if it holds an integer beyond 2**53 - 1, or is nested deeper than 127 levels.

    >>> canonical_json({"b": [1.0, 1e21], "a": None})
    b'{"a":null,"b":[1,1e+21]}'
    """
    return _core.canonical_json(_json(value))


def seal_manifest(manifest: Mapping[str, Any]) -> bytes:
    """The bytes of a `manifest.json`: canonical JSON with a digest over itself, and a newline."""
    return _core.seal_manifest(_json(dict(manifest)))


def write_manifest(folder: AnyPath, manifest: Mapping[str, Any]) -> None:
    """Seal `manifest` and write it as `manifest.json` of the folder: the last file of all.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as home:
    ...     write_atomic(f"{home}/a.txt", b"abc")
    ...     write_manifest(home, {"kind": "notes", "schema_version": 1, "files": list_files(home)})
    ...     verify_folder(home)["files"][0]["path"]
    'a.txt'
    """
    write_atomic(Path(folder) / "manifest.json", seal_manifest(manifest))


def list_files(folder: AnyPath | PartialFolder, algorithm: str = "sha256") -> list[dict[str, Any]]:
    """The `files` of a manifest: path, bytes and digest of every file below `folder`, in order of their paths.

    Those of a `PartialFolder` that were opened with this `digest` are not read again.
    """
    if isinstance(folder, PartialFolder):
        return cast("list[dict[str, Any]]", json.loads(folder.list_files(algorithm)))
    return cast("list[dict[str, Any]]", json.loads(_core.list_files(folder, algorithm)))


def read_manifest(
    path: AnyPath, kind: str | None = None, schema_version: int | None = None
) -> dict[str, Any]:
    """The manifest at `path`, or of the folder `path`, once not a bit of it has changed; its files are not read.

    Args:
        path: a manifest or the folder it lies in.
        kind: what it must describe; goes with `schema_version`.
        schema_version: the newest that the caller can read.
    Raises:
        MissingDataError: if there is none.
        DamageError: if it was changed, or is of another kind, or newer.
    """
    if (kind is None) != (schema_version is None):
        raise UsageError("`kind` and `schema_version` go together, got one of them")
    file = Path(path) / "manifest.json" if Path(path).is_dir() else Path(path)
    return cast("dict[str, Any]", json.loads(_core.read_manifest(file, kind, schema_version)))


def verify_folder(folder: AnyPath) -> dict[str, Any]:
    """The manifest of `folder`, once every file has its size and digest and there is no other; else a `DamageError`."""
    return cast("dict[str, Any]", json.loads(_core.verify_folder(folder)))


def _json(value: object) -> str:
    """The JSON text of `value`, if it says just that: no key became a string on the way, and no tuple a list."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"not plain JSON: {str(error)[:1].lower()}{str(error)[1:]}") from None
    if json.loads(text, parse_int=_exact) != value:
        raise UsageError("not plain JSON: a key is not a string, or a tuple stands where a list should")
    return text


def _exact(digits: str) -> int:
    if abs(int(digits)) < 2**53:
        return int(digits)
    raise DataError(f"the integer {digits} is beyond 2^53 - 1, where JSON numbers are no longer exact")
