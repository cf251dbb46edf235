"""Check prepared data to the last byte: digests, ids, counts, and that children and parents agree, back to the raw files.

Beyond what every start of a run checks (each file against its manifest), the records are made again from their raw files
(`codex.data.lineage`), every text is hashed again and compared with its id, every split is derived again, and every document of
a shard is decoded: its text must have the id it is filed under.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from codex.data.contents import stage_folders, unfinished_folders
from codex.data.findings import Problem, Report
from codex.data.lineage import hold_against_raw
from codex.data.load import SplitTokens
from codex.data.progress import Progress, Silent
from codex.data.split import SPLITS, planned_split, side_by_id, sides_of
from codex.data.store import SCHEMA_VERSION
from codex.errors import CodexError, DataError, MissingDataError, UsageError
from codex.file import digest_file, read_manifest, verify_folder
from codex.records import BadLine, read_records, record_id
from codex.tokens import Tokenizer

__all__ = ["Problem", "Report", "verify"]


def verify(folder: Path, progress: Progress | None = None, *, raw: Sequence[str] = ()) -> Report:
    """Check all prepared data in `folder`.

    Args:
        folder: a cache, an `--out` folder, or the folder of one stage.
        progress: told of every folder.
        raw: where the raw files are now, as `data.paths`; default where they were read, if that was on this machine.

    Raises:
        MissingDataError: if there is no prepared data, or nothing at a place of `raw`.
        DataError: if `folder` is a file.
        UsageError: if `raw` is given for none or several folders of records.
    """
    if folder.is_file():
        raise DataError(f"`{folder}` is a file, expected a folder of prepared data")
    found = stage_folders(folder)
    if not found:
        raise MissingDataError(
            f"no prepared data in `{folder}`",
            hint="`codex data tokenize` prepares it; `codex data list` shows what there is",
        )
    if raw and (number := sum(stage == "records" for stage, _ in found)) != 1:
        raise UsageError(
            f"raw files are named, and `{folder}` holds {number} folders of records, expected one",
            hint="name the folder of the records they belong to",
        )
    told = progress or Silent()
    unfinished = [f"{path}: not finished" for path in unfinished_folders(folder)]
    check = _Check(Report(unchecked=unfinished), told, raw)
    for stage, path in found:
        check.manifest(stage, path)
    for done, (path, manifest) in enumerate(check.whole):
        told.step("verify", done, len(check.whole))
        check.contents(path, manifest)
    told.step("verify", len(check.whole), len(check.whole))
    return check.report


@dataclass(slots=True)
class _Check:
    report: Report
    progress: Progress
    raw: Sequence[str]
    whole: list[tuple[Path, Mapping[str, Any]]] = field(default_factory=list)
    """Folder and manifest of those whose files are all as written."""
    folders: dict[str, Path] = field(default_factory=dict)
    """The same by the digest of the manifest, which is how children name their parents."""

    def manifest(self, stage: str, folder: Path) -> None:
        self.report.checked.append(str(folder))
        try:
            read_manifest(folder, kind=stage, schema_version=SCHEMA_VERSION)
            manifest = verify_folder(folder)
        except CodexError as error:
            self._problem(folder, "manifest", str(error))
            return
        self.whole.append((folder, manifest))
        self.folders[manifest["digest"]] = folder

    def contents(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        kinds: dict[str, Callable[[Path, Mapping[str, Any]], None]] = {
            "records": self._records,
            "splits": self._splits,
            "tokenizer": self._tokenizer,
            "shards": self._shards,
        }
        try:
            kinds[manifest["kind"]](folder, manifest)
        except CodexError as error:
            self._problem(folder, "contents", str(error))
        if manifest["kind"] == "records":
            hold_against_raw(folder, manifest, self.report, self.progress, places=self.raw)

    def _records(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        path = folder / "records.ndjson"
        number = size = 0
        for _, bytes_ in self._ids(path):
            number, size = number + 1, size + bytes_
        self._counts(folder, manifest, {"records": number, "text_bytes": size})

    def _splits(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        parameters = manifest["parameters"]
        counts: dict[str, int] = {}
        for side in sides_of(folder):
            path = folder / f"{side}.ndjson"
            number = size = 0
            for identity, bytes_ in self._ids(path):
                if SPLITS.index(side) < SPLITS.index(wanted := side_by_id(identity, parameters)):
                    self._problem(path, f"record {number}", f"`{identity}` belongs to the split `{wanted}`")
                number, size = number + 1, size + bytes_
            counts |= {f"{side}_records": number, f"{side}_text_bytes": size}
        if records := self._parent(folder, manifest, "records"):
            counts |= self._divided_again(folder, records / "records.ndjson", parameters)
        self._counts(folder, manifest, counts)

    def _divided_again(self, folder: Path, records: Path, parameters: dict[str, Any]) -> dict[str, int]:
        """Holds every split against what the records give once more, near duplicates and all."""
        with TemporaryDirectory() as scratch:
            plan = planned_split(records, parameters, Path(scratch) / "near")
        digests = {side: sha256() for side in SPLITS}
        plan.divide(lambda side, lines: digests[SPLITS[side]].update(lines))
        for side in sides_of(folder):
            path = folder / f"{side}.ndjson"
            if digest_file(path).digest != f"sha256:{digests[side].hexdigest()}":
                self._problem(path, "records", f"are not those that `{records}` gives")
        return dict(zip(("near_duplicate_groups", "near_duplicates"), plan.groups, strict=True))

    def _tokenizer(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
        self._counts(folder, manifest, {"vocabulary_size": tokenizer.vocab_size})
        brought = [parent["digest"] for parent in manifest["parents"] if parent["kind"] == "tokenizer.json"]
        if not brought:
            self._parent(folder, manifest, "splits")
        elif brought != [tokenizer.fingerprint]:
            self._problem(folder, "tokenizer.json", f"is not the one that was brought, {brought[0]}")

    def _shards(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        splits = self._parent(folder, manifest, "splits")
        trained = self._parent(folder, manifest, "tokenizer")
        tokenizer = Tokenizer.from_file(trained / "tokenizer.json") if trained else None
        counts: dict[str, int] = {}
        for side in sides_of(folder):
            tokens = SplitTokens(folder, side)
            counts |= {f"{side}_documents": len(tokens), f"{side}_tokens": int(tokens.lengths.sum())}
            ids = [bytes(row).hex() for row in tokens.document_ids]
            if splits and ids != _ids_in(splits / f"{side}.ndjson"):
                self._problem(
                    folder, f"{side} document ids", f"are not the ids of `{splits / side}.ndjson`, in order"
                )
            if tokenizer:
                self._documents(folder, side, tokens, ids, tokenizer)
        self._counts(folder, manifest, counts)

    def _documents(
        self, folder: Path, side: str, tokens: SplitTokens, ids: list[str], tokenizer: Tokenizer
    ) -> None:
        if tokens.tokenizer != tokenizer.fingerprint:
            self._problem(folder, f"{side} metadata", "the shards were made with another tokenizer")
            return
        for place, identity in enumerate(ids):
            document = tokens[place]
            if document[-1] != tokenizer.end_of_document_id:
                self._problem(
                    folder, f"{side} document {place}", "does not end with the end-of-document token"
                )
            elif record_id(tokenizer.decode(np.asarray(document[:-1]))) != identity:
                self._problem(
                    folder,
                    f"{side} document {place}",
                    f"its tokens do not decode to the text with id `{identity}`",
                )

    def _ids(self, path: Path) -> Iterator[tuple[str, int]]:
        """(id, bytes of text) of every record of a file, each held against its text; the ids must rise."""
        bad: list[BadLine] = []
        before = ""
        for place, record in enumerate(read_records(path, bad_lines=bad)):
            if record.id <= before:
                self._problem(path, f"record {place}", "is out of order or there twice")
            before = record.id
            yield record.id, len(record.text.encode())
        for line in bad:
            self._problem(path, f"line {line.line}, byte {line.byte}", line.reason)

    def _counts(self, folder: Path, manifest: Mapping[str, Any], counted: Mapping[str, int]) -> None:
        for name, value in counted.items():
            if manifest["counts"].get(name) != value:
                self._problem(folder, f"counts.{name}", f"is {manifest['counts'].get(name)}, counted {value}")

    def _parent(self, folder: Path, manifest: Mapping[str, Any], kind: str) -> Path | None:
        digests = [parent["digest"] for parent in manifest["parents"] if parent["kind"] == kind]
        if len(digests) == 1 and digests[0] in self.folders:
            return self.folders[digests[0]]
        self.report.unchecked.append(
            f"{folder}: its parent `{kind}` ({', '.join(digests) or 'none named'}) is not here"
        )
        return None

    def _problem(self, path: Path, part: str, reason: str) -> None:
        self.report.problem(path, part, reason)


def _ids_in(path: Path) -> list[str]:
    return [record.id for record in read_records(path, verify=False)]
