"""The packages to train on, by name and version: `python fetch.py INTO`, on Debian 12.

`packages.txt` lists them. Each is unpacked into a folder of `INTO/unpacked` and never installed; the word lists come from PyPI.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["fetch"]

WORD_LISTS = (
    "wordfreq==3.1.1 --hash=sha256:4b1c6ecffc6198be3396d5cf871c4423ca71c907c231348d352dd54d62b97473\n"
)


def fetch(into: Path) -> None:
    """Downloads what is not there yet."""
    into.mkdir(parents=True, exist_ok=True)
    for package in Path(__file__).with_name("packages.txt").read_text("utf-8").split():
        folder = into / "unpacked" / package.partition("=")[0]
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=into) as downloads:
                subprocess.run(["apt-get", "download", "--quiet", package], cwd=downloads, check=True)
                (archive,) = Path(downloads).iterdir()
                # Not at its place before it is whole.
                subprocess.run(["dpkg", "-x", archive, Path(downloads) / "files"], check=True)
                folder.parent.mkdir(exist_ok=True)
                (Path(downloads) / "files").rename(folder)
            sys.stderr.write(f"{package}\n")
    if not list(into.glob("wordfreq-*.whl")):
        (into / "wordfreq.txt").write_text(WORD_LISTS, "utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        subprocess.run([*pip, "--dest", into, "--requirement", into / "wordfreq.txt"], check=True)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
