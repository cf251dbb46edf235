"""`codex train` as ckpt-chaos starts it, its crashes carried to the system calls of our Rust writer.

ckpt-chaos crashes a program at what Python does to files. Rust does all of that here, so by itself it finds nothing to crash.
This program stands between. It has `codex train` run in a process of its own, which the test forks from one that has torch
imported already; where ckpt-chaos asks for the n-th crash, the n-th of `CHAOS_POINTS` is a SIGKILL before a call that changes
the disk. Only then it tells ckpt-chaos, by Python's audit events, of one file event for each point, and ckpt-chaos ends it at
the n-th. Where a point did not strike there are no such events, and ckpt-chaos counts a crash that missed.

    python chaos_target.py FOLDER WORDS...     has `codex WORDS` run in FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

__all__: list[str] = []


def main(folder: str, *words: str) -> int:
    subprocess.run(["mkdir", "-p", folder], check=True)  # by another process: it is no event
    points = os.environ["CHAOS_POINTS"].split()
    crash = int(os.environ.get("CKPT_CHAOS_CRASH_AT", "0"))
    said = Path(f"{folder}.said")
    order = {
        "words": words,
        "folder": folder,
        "said": str(said),
        "CODEX_FAIL_POINTS": points[crash - 1] if crash else "",
    }
    Path(os.environ["CHAOS_ORDERS"]).write_text(json.dumps(order))
    code = int(Path(os.environ["CHAOS_ANSWERS"]).read_text())
    print(said.read_text())
    said.unlink()
    if crash and code != -signal.SIGKILL:
        print(f"the point {points[crash - 1]} was never passed")
        return 1
    for number, point in enumerate(points, start=1):
        sys.audit("os.rename", str(Path(folder) / f"{number:03} {point}"), "")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
