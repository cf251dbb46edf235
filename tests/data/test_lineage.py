"""Raw file -> record: `verify` makes the records again from their raw files, and names what is another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from codex.config.schema import Config
from codex.data.findings import Report
from codex.data.listing import list_files
from codex.data.prepare import prepare, prepare_until
from codex.data.store import Place
from codex.data.verify import verify
from codex.errors import MissingDataError, UsageError
from codex.file import digest_file, read_manifest, write_manifest
from codex.records import record_id

Codex = Callable[..., "CompletedProcess[str]"]
FIRST = "a b/document 00.txt"


@pytest.fixture
def out(config: Config, tmp_path: Path) -> Path:
    prepare_until("splits", config, place=Place(tmp_path / "cache", tmp_path / "out"))
    return tmp_path / "out"


def said(report: Report) -> list[tuple[str, str]]:
    """Part and first word of every difference."""
    assert report.problems == []
    return [(found.part, found.reason.split(":")[0]) for found in report.differences]


def forge(out: Path, change: Callable[[list[dict[str, Any]]], None], **manifest: Any) -> None:
    """Changes the records as a careful forger would: ids, order, counts and digests agree; the splits go."""
    shutil.rmtree(out / "splits", ignore_errors=True)
    folder = out / "records"
    path = folder / "records.ndjson"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    change(records)
    for record in records:
        record["id"] = record_id(record["text"])
    records.sort(key=lambda record: record["id"])
    lines = [json.dumps(record, separators=(",", ":"), ensure_ascii=False) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines))
    known = {key: value for key, value in read_manifest(folder).items() if key != "digest"}
    size = sum(len(record["text"].encode()) for record in records)
    known["counts"] |= {"records": len(records), "text_bytes": size}
    known |= manifest
    for entry in known["files"]:
        digest = digest_file(folder / entry["path"])
        entry |= {"bytes": digest.bytes, "digest": digest.digest}
    write_manifest(folder, known)


def test_raw_files_that_are_the_same_give_the_same(out: Path) -> None:
    report = verify(out)
    assert (report.problems, report.differences, report.unchecked) == ([], [], [])
    assert report.derived == [str(out / "records")]


def test_raw_file_of_one_byte_changed_is_named_with_both_digests(out: Path, corpus: Path) -> None:
    before = digest_file(corpus / FIRST).digest
    (corpus / FIRST).write_text((corpus / FIRST).read_text().replace("the", "thy", 1))
    report = verify(out)
    assert said(report) == [(f"raw file {FIRST}", "changed")]
    assert before in report.differences[0].reason
    assert digest_file(corpus / FIRST).digest in report.differences[0].reason
    assert report.derived == []


def test_raw_files_that_are_gone_new_or_no_files_are_named(out: Path, corpus: Path) -> None:
    (corpus / FIRST).unlink()
    (corpus / "new.txt").write_text("was not there")
    (corpus / "a b" / "document 03.txt").unlink()
    (corpus / "a b" / "document 03.txt").symlink_to("document 06.txt")
    (corpus / "large.txt").write_text("small")
    assert said(verify(out)) == [
        (f"raw file {FIRST}", "is gone"),
        ("raw file a b/document 03.txt", "a symbolic link"),
        ("raw file large.txt", "is read now, then"),
        ("raw file new.txt", "was not there then"),
    ]


def test_raw_file_that_grows_meanwhile_is_named_and_all_else_is_checked(
    out: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_and_grow(*arguments: Any, **options: Any) -> Any:
        listing = list_files(*arguments, **options)
        with (corpus / FIRST).open("a") as file:
            file.write("more")
        return listing

    monkeypatch.setattr("codex.data.source.list_files", list_and_grow)
    with (out / "splits" / "train.ndjson").open("a") as file:
        file.write("{}\n")
    report = verify(out)
    (found,) = report.differences
    assert found.part == "raw files" and f"{FIRST}` changed while" in found.reason
    assert [Path(problem.path).name for problem in report.problems] == ["splits"]


def test_what_was_skipped_and_is_not_there_is_named(out: Path, corpus: Path) -> None:
    (corpus / "link").unlink()
    (corpus / "other link").symlink_to("empty.txt")
    assert said(verify(out)) == [
        ("raw file link", "was skipped then"),
        ("raw file other link", "is skipped now"),
    ]


def test_text_that_its_raw_file_does_not_give_is_found_though_all_digests_agree(out: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        record = next(record for record in records if record["source"]["path"] == FIRST)
        record["text"] = record["text"].replace("the", "thy", 1)

    forge(out, change)
    report = verify(out)
    assert [(found.part[:7], found.path) for found in report.problems] == [
        ("record ", str(out / "records" / "records.ndjson"))
    ]
    assert f"its text is not that of `{FIRST}`, which gives " in report.problems[0].reason


def test_record_that_is_missing_or_of_no_file_is_found(out: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        records.remove(next(record for record in records if record["source"]["path"] == FIRST))
        records.append(
            {**records[0], "text": "of no file\n", "source": {**records[0]["source"], "path": "x"}}
        )

    forge(out, change)
    reasons = [found.reason for found in verify(out).problems]
    assert reasons == [f"is missing: `{FIRST}` gives it", "`x` does not give it"]


def test_source_that_is_another_is_found(out: Path) -> None:
    def change(records: list[dict[str, Any]]) -> None:
        next(record for record in records if record["source"]["path"] == FIRST)["source"]["encoding"] = (
            "cp1252"
        )

    forge(out, change)
    (found,) = verify(out).problems
    assert found.reason.startswith("its source is ") and "'cp1252'" in found.reason


def test_counts_that_the_raw_files_do_not_give_are_found(out: Path) -> None:
    dropped = {**read_manifest(out / "records")["dropped"], "duplicate": 7}
    forge(out, lambda records: None, dropped=dropped)
    assert [found.part for found in verify(out).problems] == ["dropped"]


def test_records_of_files_that_did_not_change_are_held_against_them_still(out: Path, corpus: Path) -> None:
    (corpus / "new.txt").write_text("was not there")

    def change(records: list[dict[str, Any]]) -> None:
        next(record for record in records if record["source"]["path"] == FIRST)["text"] = "forged\n"

    forge(out, change)
    report = verify(out)
    assert [found.part for found in report.differences] == ["raw file new.txt"]
    assert len(report.problems) == 1 and FIRST in report.problems[0].reason


def test_rows_of_a_file_of_many_are_told_apart(tmp_path: Path, configure: Callable[..., Config]) -> None:
    rows = [json.dumps({"text": f"row {number} of many"}) for number in range(30)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    config = configure(tmp_path / "rows.jsonl")
    prepare_until("records", config, place=Place(tmp_path / "cache", tmp_path / "out"))

    def change(records: list[dict[str, Any]]) -> None:
        next(record for record in records if record["meta"]["row"] == 7)["text"] = "forged\n"

    forge(tmp_path / "out", change)
    (found,) = verify(tmp_path / "out").problems
    assert "its text is not that of `rows.jsonl#7`" in found.reason


def test_near_duplicates_that_were_dropped_are_dropped_again(
    config: Config, corpus: Path, tmp_path: Path
) -> None:
    (corpus / "near.txt").write_text((corpus / "ç" / "document 07.txt").read_text() + "one word more\n")
    config = config.model_copy(update={"data": config.data.model_copy(update={"near_duplicates": "drop"})})
    prepare_until("records", config, place=Place(tmp_path / "cache", tmp_path / "out"))
    assert verify(tmp_path / "out").derived == [str(tmp_path / "out" / "records")]
    (corpus / "near.txt").unlink()
    report = verify(tmp_path / "out")
    assert said(report)[0] == ("raw file near.txt", "is gone")
    assert "which near duplicates stay depends on all raw files" in report.unchecked[0]


def test_raw_files_that_moved_are_named_with_the_folder_they_are_in_now(
    out: Path, corpus: Path, tmp_path: Path
) -> None:
    corpus.rename(tmp_path / "moved")
    report = verify(out)
    assert (report.problems, report.differences, report.derived) == ([], [], [])
    assert report.unchecked == [
        f"{out / 'records'}: its raw files: `{corpus}` is no longer there; `--raw PLACE` names them"
    ]
    assert verify(out, raw=[str(tmp_path / "moved")]).derived == [str(out / "records")]
    with pytest.raises(MissingDataError, match="does not exist"):
        verify(out, raw=[str(corpus)])


@pytest.mark.parametrize(
    ("build", "why"),
    [
        ({"host": "elsewhere"}, "they were read on another machine, `elsewhere`"),
        ({"places": {"roots": 3}}, "`build.json` does not say where they are"),
        ({"places": {"roots": [], "addresses": ["s3://b/c"]}}, "`s3://b/c` is not on this machine"),
        (None, "`build.json` does not say where they are"),
    ],
)
def test_raw_files_that_are_elsewhere_are_told_and_not_looked_for(
    out: Path, build: dict[str, Any] | None, why: str
) -> None:
    path = out / "records" / "build.json"
    path.write_text("[]" if build is None else json.dumps({**json.loads(path.read_text()), **build}))
    report = verify(out)
    assert (report.problems, report.derived) == ([], [])
    assert report.unchecked == [f"{out / 'records'}: its raw files: {why}; `--raw PLACE` names them"]


def test_records_of_older_code_are_not_compared(out: Path) -> None:
    parameters = {"code": 1}
    forge(out, lambda records: None, parameters=parameters)
    (line,) = verify(out).unchecked
    assert "version 1 of the code" in line


def test_what_is_prepared_inside_its_corpus_is_no_raw_file(
    config: Config, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_CACHE_DIR", str(corpus / "cache"))
    prepare(config, cache=corpus / "cache")
    assert verify(corpus / "cache").differences == []
    prepare_until("records", config, place=Place(corpus / "cache", corpus / "out"))
    for folder in (corpus / "out", corpus / "out" / "records"):
        assert verify(folder).differences == []


def test_raw_files_are_those_of_one_corpus(
    config: Config, corpus: Path, configure: Callable[..., Config], tmp_path: Path
) -> None:
    prepare_until("records", config, place=Place(tmp_path / "c"))
    prepare_until("records", configure(corpus / "ç"), place=Place(tmp_path / "c"))
    with pytest.raises(UsageError, match="holds 2 folders of records"):
        verify(tmp_path / "c", raw=[str(corpus)])


def test_command_exits_1_for_raw_files_and_4_for_records(
    here: Codex, out: Path, corpus: Path, tmp_path: Path
) -> None:
    (corpus / FIRST).unlink()
    done = here("data", "verify", "out")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"out/records: raw file {FIRST}: is gone",
        "2 folders in out: raw files that differ: 1",
    ]
    found = json.loads(here("data", "verify", "out", "--json").stdout)
    assert found["differences"] == [{"path": "out/records", "part": f"raw file {FIRST}", "reason": "is gone"}]
    forge(out, lambda records: records[5].update(text="forged\n"))
    done = here("data", "verify", "out")
    assert done.returncode == 4
    assert done.stdout.splitlines()[-1] == "1 folders in out: problems: 1, raw files that differ: 1"


def test_library_of_python_is_ingested_split_and_verified(here: Codex) -> None:
    assert here("data", "ingest", "--corpus", "python-stdlib", "--out", "out").returncode == 0
    assert here("data", "split", "out").returncode == 0
    done = here("data", "verify", "out")
    assert (done.returncode, done.stdout) == (
        0,
        "out/records: its raw files give the same\n2 folders in out: all is as it was written\n",
    )
