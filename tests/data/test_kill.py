"""SIGKILL before any system call that writes: nothing or the whole folder; going on gives the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from codex.config.schema import Config
from codex.data.prepare import prepare
from codex.data.store import STAGES
from codex.file import verify_folder

Tree = Callable[[Path], dict[str, str]]

PREPARE = """
import sys
from pathlib import Path
from codex.config.schema import Config
from codex.data.prepare import prepare
prepare(Config.model_validate_json(sys.argv[1]), cache=Path(sys.argv[2]))
"""


def test_kill_before_every_write_leaves_whole_folders_and_the_same_bytes(
    config: Config, tree: Tree, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "whole")
    expected = tree(tmp_path / "whole")
    finished_before_the_kill = set()
    for n in range(1, 1000):
        cache = tmp_path / f"cache {n}"
        words = [sys.executable, "-c", PREPARE, config.model_dump_json(), str(cache)]
        done = subprocess.run(
            words, env={**os.environ, "CODEX_FAIL_POINTS": f"*=kill@{n}"}, timeout=60, check=False
        )
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
        whole = [
            path for path in cache.glob("prepared/*/*") if path.is_dir() and ".partial-" not in path.name
        ]
        for folder in whole:
            verify_folder(folder)
        finished_before_the_kill.add(len(whole))
        prepare(config, cache=cache)
        assert tree(cache) == expected, f"killed before write {n}"
    assert done.returncode == 0 and n > 20
    assert finished_before_the_kill == set(range(len(STAGES) + 1))
