"""The corpora of `codex data list`: which files each takes, what is said of the others, and the words of the commands."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.data.corpora import Corpus, CorpusKind, corpora, corpus_kind
from codex.data.listing import list_files
from codex.errors import RegistryError
from codex.records import read_records

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

MINE = CorpusKind("logs of mine", lambda paths: Corpus(None, paths, include=("*.log",)))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with files of every kind, one text in each."""
    folder = tmp_path / "mixed"
    (folder / "node_modules").mkdir(parents=True)
    (folder / "a.md").write_text("prose of the folder\n")
    (folder / "page.html").write_text("<p>a page of it</p>")
    (folder / "b.py").write_text("def code(): pass\n")
    (folder / "Makefile").write_text("all:\n\ttrue\n")
    (folder / "node_modules" / "c.js").write_text("somebody('else')\n")
    (folder / "rows.jsonl").write_text('{"text": "a line of it"}\n{"text": "another line"}\n')
    (folder / "rows.tsv").write_text("text\tn\na row of it\t1\n")
    (folder / "notes.log").write_text("a log of it\n")
    return folder


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("text", ["a.md", "page.html"]),
        ("code", ["Makefile", "b.py"]),
        ("jsonl", ["rows.jsonl"]),
        ("csv", ["rows.tsv"]),
        ("parquet", []),
        ("hf", []),
    ],
)
def test_each_corpus_takes_its_own_files(mixed: Path, name: str, files: list[str]) -> None:
    listing = list_files(corpus_kind(name).find((mixed,)), maximum_file_bytes=1 << 20)
    assert [found.name for found in listing.files] == files
    assert listing.set_aside >= 9 - 1 - len(files)


@pytest.mark.parametrize("name", ["text", "code", "jsonl"])
def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "README").write_text("{}")
    listing = list_files(corpus_kind(name).find((tmp_path / "README",)), maximum_file_bytes=1 << 20)
    assert [found.name for found in listing.files] == ["README"]


def test_places_and_a_corpus_are_words_of_the_command(codex: Codex, mixed: Path, tmp_path: Path) -> None:
    done = codex("data", "ingest", "mixed", "--corpus", "jsonl", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stages"]["records"]["counts"]["records"] == 2
    again = codex("data", "ingest", "mixed/a.md", "mixed/b.py", "data.minimum_words=3", "--out", "both")
    assert again.returncode == 0, again.stderr
    texts = [record.text for record in read_records(tmp_path / "both" / "records" / "records.ndjson")]
    assert sorted(texts) == ["def code(): pass\n", "prose of the folder\n"]


def test_split_and_tokenize_go_on_from_a_folder(here: Codex, tmp_path: Path) -> None:
    """Whatever its records were made from: nothing is read again, nothing is made of another corpus."""
    for number in range(40):
        (tmp_path / "raw").mkdir(exist_ok=True)
        (tmp_path / "raw" / f"{number}.txt").write_text(f"text {number} " * 9)
    assert here("data", "ingest", "raw", "--out", "out").returncode == 0
    records = (tmp_path / "out" / "records" / "records.ndjson").read_bytes()
    split = here("data", "split", "out", "data.test_fraction=0.2", "--json")
    assert split.returncode == 0, split.stderr
    assert list(json.loads(split.stdout)["stages"]) == ["records", "splits"]
    assert (tmp_path / "out" / "records" / "records.ndjson").read_bytes() == records
    shards = here("data", "tokenize", "out", "tokens.vocabulary_size=300", "--json")
    assert shards.returncode == 0, shards.stderr
    stages = json.loads(shards.stdout)["stages"]
    assert list(stages) == ["splits", "tokenizer", "shards"] and stages["shards"]["counts"]["test_tokens"] > 0
    assert here("data", "verify", "out").stdout.splitlines() == [
        "out/records: its raw files give the same",
        "4 folders in out: all is as it was written",
    ]


def test_a_damaged_stage_is_not_gone_on_from(here: Codex, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one text")
    assert here("data", "ingest", "a.txt", "--out", "out").returncode == 0
    path = tmp_path / "out" / "records" / "records.ndjson"
    path.write_bytes(path.read_bytes().replace(b"one text", b"one next"))
    done = here("data", "split", "out")
    assert done.returncode == 4 and "records.ndjson` is damaged" in done.stderr


FAILURES = [
    (["ingest", "--corpus", "jsonl"], 2, "corpus `jsonl` is in places of your own, and `data.paths` is an empty list"),
    (["ingest", "--corpus", "jsnl", "mixed"], 2, "hint: did you mean `jsonl`?"),
    (["ingest", "--corpus", "python-stdlib", "mixed"], 2, "expected only one of them"),
    (["ingest", "nowhere"], 3, "nowhere` does not exist"),
    (["split", "mixed"], 3, "hint: `codex data ingest PLACE... --out mixed` makes them"),
    (["split", "mixed", "more"], 2, "is given the folder `mixed` and `more`, expected one of them"),
    (["split", "mixed", "--corpus", "text"], 2, "is given the folder `mixed` and the corpus `text`"),
    (["tokenize", "nowhere"], 3, "no records in `nowhere`"),
    (["ingest", "data.paths"], 2, "`data.paths` is not an override, expected `key=value`"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "message"), FAILURES, ids=[" ".join(row[0]) for row in FAILURES])
def test_what_cannot_be_read_is_said(
    words: list[str], code: int, message: str, here: Codex, mixed: Path
) -> None:
    done = here("data", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and done.stderr.count("error: ") == 1


def _install(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = importlib.metadata.EntryPoint("mine", value, "codex.corpora")
    monkeypatch.setattr(
        "codex.registry.entry_points", lambda *, group: [point] if group == "codex.corpora" else []
    )


def test_a_plugin_adds_a_corpus(
    here: Codex, mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parent)
    (tmp_path / "my_package.py").write_text(
        "from codex.data.corpora import Corpus, CorpusKind\n"
        "LOGS = CorpusKind('logs of mine', lambda paths: Corpus(None, paths, include=('*.log',)))\n"
        "HERE = CorpusKind('itself', lambda paths: Corpus(None, ()), takes_paths=False)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    _install(monkeypatch, "my_package:LOGS")
    done = here("data", "ingest", "mixed", "--corpus", "mine", "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stages"]["records"]["counts"]["files"] == 1
    assert "logs of mine" in here("data", "list").stdout
    _install(monkeypatch, "my_package:HERE")
    refused = here("data", "ingest", "mixed", "--corpus", "mine")
    assert refused.returncode == 2
    assert "corpus `mine` is there by itself, and `data.paths` lists 1" in refused.stderr


def test_a_plugin_that_is_none_is_named(here: Codex, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "pathlib:Path")
    with pytest.raises(RegistryError, match="corpus `mine` is a type, expected a `CorpusKind`"):
        corpus_kind("mine")
    shown = json.loads(here("data", "list", "--json").stdout)["corpora"]
    assert [entry["unusable"] for entry in shown if entry["name"] == "mine"] == [
        "corpus `mine` is a type, expected a `CorpusKind`"
    ]


def test_list_says_what_each_corpus_reads(here: Codex) -> None:
    found: list[dict[str, Any]] = json.loads(here("data", "list", "--json").stdout)["corpora"]
    assert [entry["name"] for entry in found] == corpora.names()
    assert {"python-stdlib", "text", "code", "jsonl", "csv", "parquet", "hf"} <= set(corpora.names())
    own = {entry["name"]: entry for entry in found}["python-stdlib"]
    assert own["takes_paths"] is False and Path(own["roots"][0]).is_dir()


def test_an_extra_that_is_missing_is_named(
    here: Codex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr("codex.data.formats.find_spec", lambda name: None)
    monkeypatch.setattr("codex.cli.data.corpora.find_spec", lambda name: None)
    done = here("data", "ingest", "rows.parquet")
    assert done.returncode == 5
    assert "`rows.parquet` cannot be read: `pyarrow` is not installed" in done.stderr
    assert 'hint: pip install "codex-lm[parquet]"' in done.stderr
    assert here("data", "list").stdout.count('pip install "codex-lm[parquet]"') == 2
