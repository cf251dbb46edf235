"""Append logs: one writer, whole lines, whatever happens to the process or the disk."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codex.errors import DiskFullError, LockError, MachineError, UsageError
from codex.file import AppendLog, FailPoints

WRITE = """
import json, sys
from codex.file import AppendLog
log = AppendLog(sys.argv[1])
print(log.torn_bytes, flush=True)
n = int(sys.argv[2])
while True:
    batch = [json.dumps({"n": n + i, "pad": "x" * (n % 977)}) + "\\n" for i in range(1 + n % 5)]
    log.append("".join(batch).encode())
    n += len(batch)
"""


def test_killed_at_random_moments_it_holds_every_line_in_order(tmp_path: Path) -> None:
    path = tmp_path / "metrics.ndjson"
    random_number = random.Random(0)
    held = 0
    torn = b""
    set_aside = b""
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(path), str(held)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == f"{len(torn)}\n", "it finds what the kill before it tore, no more"
        set_aside += torn + b"\n" if torn else b""
        time.sleep(random_number.uniform(0.001, 0.05))
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
        writer.stdout.close()
        # Linux ends a killed write between two pages: the last line may be cut there, none before it.
        content = path.read_bytes()
        *lines, torn = content.split(b"\n")
        assert [json.loads(line)["n"] for line in lines] == list(range(len(lines)))
        assert len(lines) >= held
        held = len(lines)
    assert held > 0
    with AppendLog(path) as log:
        assert log.torn_bytes == len(torn)
    set_aside += torn + b"\n" if torn else b""
    moved = tmp_path / "metrics.ndjson.torn"
    assert (moved.read_bytes() if moved.exists() else b"") == set_aside


@pytest.mark.parametrize("torn", [b'{"n":', b"\0\0\0\0", b'{"n":\0\0\n'])
def test_a_torn_end_is_kept_aside(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\n" + torn)
    with AppendLog(path) as log:
        assert log.torn_bytes == len(torn)
        log.append(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert (tmp_path / "log.torn").read_bytes() == torn + b"\n"


@pytest.mark.parametrize(
    "rule", ["file.write=enospc@1", "file.write=short@1,file.write=enospc@2", "file.write=enospc@1+"]
)
def test_a_full_disk_leaves_no_part_of_a_line_and_the_log_goes_on(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "log"
    with AppendLog(path) as log:
        log.append(b"one\n")
        with FailPoints(rule), pytest.raises(DiskFullError, match=r"cannot append to `.*log`: no space left"):
            log.append(b"two\nthree\n")
        assert path.read_bytes() == b"one\n"
        log.append(b"four\n")
    assert path.read_bytes() == b"one\nfour\n"


def test_a_short_write_is_carried_on(tmp_path: Path) -> None:
    with AppendLog(tmp_path / "log") as log, FailPoints("file.write=short@1"):
        log.append(b"one\ntwo\n")
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


def test_what_cannot_be_taken_back_stops_the_log_and_is_mended_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = AppendLog(path)
    with FailPoints("file.write=short@1,file.write=eio@2,file.truncate=eio"), pytest.raises(MachineError):
        log.append(b"one\ntwo\n")
    with pytest.raises(MachineError, match="an earlier write failed") as caught:
        log.append(b"three\n")
    assert caught.value.hint == "open it again, which mends its end"
    log.close()
    with AppendLog(path) as log:
        log.append(b"three\n")
    assert path.read_bytes() == b"one\nthree\n"


def test_a_sync_that_failed_is_never_taken_for_done(tmp_path: Path) -> None:
    with AppendLog(tmp_path / "log") as log:
        log.append(b"one\n")
        with FailPoints("file.sync=sync-fails@1"), pytest.raises(MachineError, match="cannot sync"):
            log.sync()
        with pytest.raises(MachineError, match="an earlier write failed"):
            log.sync()


def test_a_second_writer_is_refused_until_the_first_is_closed(tmp_path: Path) -> None:
    first = AppendLog(tmp_path / "log")
    with pytest.raises(LockError, match=rf"log` is being written by process {os.getpid()} \("):
        AppendLog(tmp_path / "log")
    first.close()
    first.close()
    with pytest.raises(UsageError, match="the log is closed already"):
        first.append(b"one\n")
    AppendLog(tmp_path / "log").close()


def test_half_a_line_is_refused(tmp_path: Path) -> None:
    with AppendLog(tmp_path / "log") as log, pytest.raises(UsageError, match="must end in a newline"):
        log.append(b"no end")
