"""Documents of every format: what is read, and what is counted as none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.config.schema import Config
from codex.data.formats import visible_text
from codex.data.prepare import prepare_until
from codex.data.store import Place
from codex.records import Record, read_records

Configure = Callable[..., Config]


@pytest.fixture
def ingested(tmp_path: Path, configure: Configure) -> Callable[..., tuple[list[Record], dict[str, Any]]]:
    def ingest(*paths: Path, **keys: Any) -> tuple[list[Record], dict[str, Any]]:
        config = configure(*paths)
        config = config.model_copy(update={"data": config.data.model_copy(update=keys)})
        stage = prepare_until("records", config, place=Place(tmp_path / "cache"))["records"]
        return list(read_records(stage.folder / "records.ndjson")), dict(stage.manifest)

    return ingest


def texts_of(records: list[Record]) -> dict[str, str]:
    """Text by path and row."""
    return {f"{r.source.path}#{r.meta['row']}" if r.meta else r.source.path: r.text for r in records}


def test_every_line_of_ndjson_is_a_document_or_is_counted(tmp_path: Path, ingested: Any) -> None:
    rows = [
        {"text": "one"},
        {"text": "two\r\nlines"},
        {"body": "x"},
        {"text": 7},
        {"text": ""},
        {"text": "one"},
    ]
    lines = [json.dumps(row) for row in rows] + ['{"text": "cut', '{"text": "last"}']
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\n")
    records, manifest = ingested(tmp_path / "rows.jsonl")
    assert texts_of(records) == {
        "rows.jsonl#0": "one",
        "rows.jsonl#1": "two\nlines",
        "rows.jsonl#6": "last",
    }
    assert manifest["dropped"] == {"duplicate": 1, "empty": 1, "no JSON": 1, "no text": 2}
    reasons = {entry["path"]: entry["reason"] for entry in manifest["skipped"]}
    assert reasons["rows.jsonl#5"] == "duplicate of rows.jsonl"
    assert reasons["rows.jsonl#3"] == "no text: `text` is a int"
    assert "line 7, byte" in reasons["rows.jsonl#7"]


def test_a_large_packed_file_of_many_documents_is_a_stream(tmp_path: Path, ingested: Any) -> None:
    lines = "".join(
        json.dumps({"content": f"document {number} " + "x" * 200}) + "\n" for number in range(500)
    )
    (tmp_path / "rows.ndjson.gz").write_bytes(gzip.compress(lines.encode()))
    records, manifest = ingested(tmp_path / "rows.ndjson.gz", text_key="content", maximum_file_bytes=1000)
    assert len(records) == manifest["counts"]["records"] == 500
    assert manifest["counts"]["text_bytes"] == sum(len(record.text) for record in records)


def test_rows_of_a_table_are_documents(tmp_path: Path, ingested: Any) -> None:
    (tmp_path / "a.csv").write_text(
        'id,text\n1,"one, and\nanother line"\n2,two\n3\n4,three\n', encoding="utf-8"
    )
    (tmp_path / "b.tsv").write_text("text\tid\nvier\t1\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    (tmp_path / "d.csv").write_text("")
    records, manifest = ingested(
        tmp_path / "a.csv", tmp_path / "b.tsv", tmp_path / "c.csv", tmp_path / "d.csv"
    )
    assert texts_of(records) == {
        "a.csv#0": "one, and\nanother line",
        "a.csv#1": "two",
        "a.csv#3": "three",
        "b.tsv#0": "vier",
    }
    assert manifest["dropped"] == {"empty": 1, "no row": 1, "no text": 1}


def test_of_a_page_what_can_be_seen_is_read(tmp_path: Path, ingested: Any) -> None:
    page = "<!doctype html><html><head><title>no</title></head><body><p>Caf\xe9 &lt;b&gt;</body>"
    (tmp_path / "page.html").write_bytes(
        page.encode("latin-1").replace(b"<head>", b"<head><meta charset=latin-1>")
    )
    records, _ = ingested(tmp_path / "page.html")
    assert [(record.text, record.source.encoding) for record in records] == [("Café <b>\n", "iso8859-1")]
    raw, _ = ingested(tmp_path / "page.html", format="text")
    assert raw[0].text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("plain", "plain\n"),
        ("<p>one<p>two<br>three", "one\ntwo\nthree\n"),
        ("a <b>bo</b>ld <i>word</i>", "a bold word\n"),
        ("<ul><li>x<li>y</ul>", "x\ny\n"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1\n2\n"),
        ("<script>if (a < b) {'<p>'}</script>seen<style>p{}</style>", "seen\n"),
        ("<!-- <p>comment --> seen <![CDATA[x]]>", "seen\n"),
        ("<pre>  def f():\n      pass\n</pre>", "  def f():\n      pass\n"),
        ("&eacute;&#x41;&#66;&nosuch;", "éAB&nosuch;\n"),
        ("<head><script></head><body>seen", ""),
        ("", ""),
    ],
)
def test_visible_text(page: str, text: str) -> None:
    assert visible_text(page) == text
