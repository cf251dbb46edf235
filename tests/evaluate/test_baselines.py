"""gzip and xz as their commands would compress the same file."""

from __future__ import annotations

import lzma
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from codex.errors import DataError
from codex.evaluate import baselines


def _texts(size: int) -> list[str]:
    draw = random.Random(size)
    words = ["def", "return", "spam", "häm", "\n", "    ", "(", "):"]
    return ["".join(draw.choices(words, k=50)) for _ in range(size)]


@pytest.mark.parametrize("size", [1, 10, 300, 3000])
def test_xz_is_the_preset_9e_to_the_byte(size: int) -> None:
    texts = _texts(size)
    data = "".join(texts).encode()
    expected = len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    assert baselines(texts).xz * len(data) == pytest.approx(8 * expected)


@pytest.mark.skipif(not shutil.which("gzip"), reason="needs the command gzip")
def test_gzip_is_what_the_command_makes(tmp_path: Path) -> None:
    texts = _texts(2000)
    data = "".join(texts).encode()
    packed = subprocess.run(["gzip", "-9", "-n"], input=data, capture_output=True, check=True).stdout
    assert baselines(texts).gzip * len(data) == pytest.approx(8 * len(packed), rel=0.002)


def test_documents_are_one_file() -> None:
    assert baselines(["same text again\n"] * 50) == baselines(["same text again\n" * 50])


def test_no_bytes_are_refused() -> None:
    with pytest.raises(DataError, match="0 bytes"):
        baselines(["", ""])
