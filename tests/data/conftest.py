"""A small corpus with one of everything, and ways to look at what became of it."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config.schema import Config, Data, Tokens

WORDS = [
    "the",
    "bytes",
    "become",
    "text",
    "and",
    "the",
    "text",
    "becomes",
    "records",
    "then",
    "tokens",
    "then",
    "batches",
]


def document(number: int) -> str:
    """Some text that no other number has."""
    return "".join(f"{word} {number * 31 + place}\n" for place, word in enumerate(WORDS * (1 + number % 4)))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """24 readable documents in folders with hard names, and one of each thing that cannot be read."""
    folder = tmp_path / "raw files ü"
    for number in range(24):
        path = folder / ("a b", "ç", ".")[number % 3] / f"document {number:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document(number))
    (folder / "a b" / "packed.txt.gz").write_bytes(gzip.compress(document(100).encode(), mtime=0))
    (folder / "z twin.txt").write_bytes(document(3).replace("\n", "\r\n").encode())
    (folder / "a twin.txt").write_bytes(b"\xef\xbb\xbf" + document(5).encode())
    (folder / "empty.txt").write_bytes(b"")
    (folder / "binary.bin").write_bytes(b"\x7fELF\0\0\0\1")
    (folder / "latin.txt").write_bytes("naïve\n".encode("latin-1"))
    (folder / "cut.gz").write_bytes(gzip.compress(document(101).encode() * 50, mtime=0)[:60])
    (folder / "bomb.gz").write_bytes(gzip.compress(b"x" * 100_000, mtime=0))
    (folder / "large.txt").write_bytes(b"y" * 20_001)
    (folder / "link").symlink_to("empty.txt")
    return folder


@pytest.fixture
def config(corpus: Path) -> Config:
    """A configuration that reads `corpus`."""
    return configured(corpus)


def configured(*paths: Path, vocabulary_size: int = 300, validation_fraction: float = 0.25) -> Config:
    """A configuration that reads `paths`."""
    data = Data(
        corpus=None,
        paths=tuple(str(path) for path in paths),
        maximum_file_bytes=20_000,
        validation_fraction=validation_fraction,
    )
    return Config(data=data, tokens=Tokens(vocabulary_size=vocabulary_size))


@pytest.fixture
def configure() -> Callable[..., Config]:
    """`configured`, for tests that need other paths."""
    return configured


def tree(folder: Path) -> dict[str, str]:
    """Relative path -> digest of every file below `folder` that a digest covers."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "build.json" and path.suffix not in (".lock", ".owner")
    }


@pytest.fixture(name="tree")
def _tree() -> Callable[[Path], dict[str, str]]:
    """`tree`, as tests are not importable from each other."""
    return tree


class Listener:
    """A `Progress` that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    def say(self, line: str) -> None:
        """Remember a line."""
        self.said.append(line)

    def step(self, stage: str, done: int, total: int) -> None:
        """Remember a step."""
        self.steps.append((stage, done, total))


@pytest.fixture
def listener() -> Listener:
    """Remembers what was said."""
    return Listener()
