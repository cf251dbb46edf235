"""The other side of `worker.py`: one process for all templates, started when it is needed, ended when it takes too long."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from codex.errors import DamageError, MissingExtraError

__all__ = ["ask", "stop"]

SECONDS = 5.0
REPLY_BYTES = 1 << 28

_lock = threading.Lock()
_process: subprocess.Popen[bytes] | None = None


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """What the worker answers.

    Raises:
        MissingExtraError: if Jinja is not installed.
        DamageError: if the template takes too long or too much, or fails.
    """
    line = json.dumps(request).encode("ascii") + b"\n"
    with _lock:
        reply = _exchange(_started(), line, SECONDS)
        if isinstance(reply, str):
            _end()
    if isinstance(reply, str):
        raise DamageError(f"chat template: {reply}")
    answer: dict[str, Any] = json.loads(reply)
    if "error" in answer:
        raise DamageError(f"chat template: {answer['error']}")
    return answer


def stop() -> None:
    """End the worker, if there is one."""
    with _lock:
        _end()


def _started() -> subprocess.Popen[bytes]:
    global _process
    if _process is None or _process.poll() is not None:
        if importlib.util.find_spec("jinja2") is None:
            raise MissingExtraError(
                "a chat template needs `jinja2`, which is not installed", hint='pip install "codex-lm[train]"'
            )
        _end()
        # Without -P the worker's own folder would be the first place to import from.
        words = [sys.executable, "-P", str(Path(__file__).with_name("worker.py"))]
        names = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        _process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
        )
    return _process


def _exchange(process: subprocess.Popen[bytes], line: bytes, seconds: float) -> bytes | str:
    """The reply, or in words why there is none."""
    assert process.stdin is not None and process.stdout is not None
    end = time.monotonic() + seconds
    reply = bytearray()
    try:
        process.stdin.write(line)
        while not reply.endswith(b"\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(end - time.monotonic(), 0))
            if not ready:
                return f"it takes longer than {seconds:g} s"
            piece = os.read(process.stdout.fileno(), 1 << 20)
            if not piece or len(reply) > REPLY_BYTES:
                return "it takes more memory than it may have"
            reply += piece
    except BrokenPipeError:
        return "it takes more memory than it may have"
    return bytes(reply)


def _end() -> None:
    global _process
    if _process is not None:
        _process.kill()
        for stream in (_process.stdin, _process.stdout):
            if stream is not None:
                stream.close()
        _process.wait()
        _process = None


def _forget() -> None:
    """In a forked child: the worker is the parent's, and a lock that was held is nobody's."""
    global _process, _lock
    _lock = threading.Lock()
    if _process is not None:
        for stream in (_process.stdin, _process.stdout):
            if stream is not None:
                stream.close()
        _process.returncode = 0  # it is not ours to wait for
        _process = None


atexit.register(stop)
os.register_at_fork(after_in_child=_forget)
