"""Manifests cover themselves and their folder; canonical JSON is that of RFC 8785."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from codex import _core
from codex.errors import DamageError, DataError, MissingDataError, UsageError
from codex.file import (
    PartialFolder,
    canonical_json,
    digest_bytes,
    digest_file,
    list_files,
    read_manifest,
    seal_manifest,
    verify_folder,
    write_manifest,
)

CONTENT = {"kind": "notes", "schema_version": 1, "parents": [], "counts": {"notes": 2, "mean": 0.1}}

texts = st.text(st.characters(exclude_categories=["Cs"]))
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30)


@given(values)
def test_canonical_json_is_what_rfc8785_writes(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(values)
def test_canonical_json_reads_back_to_the_same_text(value: Any) -> None:
    text = canonical_json(value)
    assert _core.canonical_json(text) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_written_as_the_oracle_writes_it(number: float) -> None:
    assert canonical_json([number]) == rfc8785.dumps([number])


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, {1: 2}, {None: 1}, (1, 2), {"a": (1,)}, {1, 2}, b"bytes", object(), {"a": {2: 3}}],
)
def test_what_is_not_plain_json_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="not plain JSON: "):
        canonical_json(value)


@pytest.mark.parametrize("value", [2**53, -(2**53), 10**40, "\ud800", {"\udfff": 1}])
def test_what_json_cannot_carry_exactly_is_refused(value: Any) -> None:
    with pytest.raises(DataError):
        canonical_json(value)


def test_nesting_ends_where_it_could_not_be_read_back() -> None:
    value: Any = []
    for _ in range(126):
        value = [value]
    canonical_json(value)
    with pytest.raises(DataError):
        canonical_json([value])


def test_the_digest_is_over_the_canonical_form_without_it() -> None:
    sealed = seal_manifest(CONTENT)
    manifest = json.loads(sealed)
    assert sealed == rfc8785.dumps(manifest) + b"\n"
    stated = manifest.pop("digest")
    assert manifest == CONTENT
    assert stated == "sha256:" + hashlib.sha256(rfc8785.dumps(CONTENT)).hexdigest()


def test_equal_content_has_equal_bytes_whatever_its_order() -> None:
    assert seal_manifest(CONTENT) == seal_manifest(dict(reversed(CONTENT.items())))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_bytes(b"ay")
    (tmp_path / "sub" / "b.txt").write_bytes(b"bee")
    write_manifest(tmp_path, {**CONTENT, "files": list_files(tmp_path, "xxh3-128")})
    return tmp_path


def test_what_is_digested_as_it_is_written_is_listed_as_what_is_read(tmp_path: Path) -> None:
    with PartialFolder(tmp_path / "folder") as folder:
        for name, digest in [("a", "sha256"), ("sub/b", "xxh3-128"), ("c", None), ("empty", "sha256")]:
            file = folder.open(name, digest=digest)
            for piece in (b"", b"ay", b"x" * 300_000) if name != "empty" else ():
                file.write(piece)
            file.finish()
        listed = [list_files(folder, algorithm) for algorithm in ("sha256", "xxh3-128")]
        assert listed == [list_files(folder.path, algorithm) for algorithm in ("sha256", "xxh3-128")]
        (folder.path / "a").write_bytes(b"damage")
        write_manifest(folder.path, {**CONTENT, "files": list_files(folder)})
    with pytest.raises(DamageError, match=r"a` has 6 bytes, its manifest says 300002"):
        verify_folder(tmp_path / "folder")


def test_a_folder_verifies_and_its_manifest_is_found_by_either_path(folder: Path) -> None:
    manifest = verify_folder(folder)
    assert [entry["path"] for entry in manifest["files"]] == ["a.txt", "sub/b.txt"]
    assert manifest["files"][1] == {
        "path": "sub/b.txt",
        "bytes": 3,
        "digest": digest_bytes(b"bee", "xxh3-128"),
    }
    assert read_manifest(folder) == read_manifest(folder / "manifest.json") == manifest
    assert read_manifest(folder, kind="notes", schema_version=2) == manifest


def test_every_flipped_bit_of_the_folder_is_damage(folder: Path) -> None:
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        for bit in range(0, 8 * len(whole), 3):
            flipped = bytearray(whole)
            flipped[bit // 8] ^= 1 << bit % 8
            path.write_bytes(flipped)
            with pytest.raises(DamageError, match=path.name):
                verify_folder(folder)
        path.write_bytes(whole)
    verify_folder(folder)


def test_another_kind_and_a_newer_schema_are_refused_by_name(folder: Path) -> None:
    with pytest.raises(DamageError, match="describes `notes`, expected `records`"):
        read_manifest(folder, kind="records", schema_version=1)
    newer = {**CONTENT, "schema_version": 7}
    write_manifest(folder, newer)
    with pytest.raises(
        DamageError, match="has schema version 7 of `notes`, this codex reads up to 1"
    ) as caught:
        read_manifest(folder, kind="notes", schema_version=1)
    assert caught.value.hint == "read it with the codex that wrote it, or a newer one"
    with pytest.raises(UsageError, match="go together"):
        read_manifest(folder, kind="notes")


def test_no_manifest_is_missing_and_a_sealed_one_is_not_sealed_again(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(MissingDataError, match=r"manifest\.json"):
        read_manifest(tmp_path / "sub")
    with pytest.raises(UsageError, match="`digest` is set already"):
        seal_manifest(read_manifest(folder))


def test_digests_are_those_of_hashlib(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    (tmp_path / "data").write_bytes(data)
    assert digest_file(tmp_path / "data") == (len(data), "sha256:" + hashlib.sha256(data).hexdigest())
    assert digest_file(tmp_path / "data", "xxh3-128").digest == digest_bytes(data, "xxh3-128")
