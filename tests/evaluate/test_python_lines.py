"""Which lines of a sample count as Python: a table of cases."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from codex.evaluate import python_lines

CASES = {
    "empty": ("", 0, 0),
    "fine": ("def f(x):\n    return x\n", 2, 0),
    "no newline at the end": ("x = 1", 1, 0),
    "nonsense that tokenizes": ("for return 3 x (\n)\n", 2, 0),
    "a character that is no token": ("x = 1\ny = 2 $ 3\nz = 3\n", 3, 1),
    "two bad lines": ("a ? b\nx = 1\nc ? d\n", 3, 2),
    "a string open to the end of its line": ("x = 'abc\ny = 2\n", 2, 1),
    "a string cut off by the end": ("y = 2\nx = 'abc", 2, 0),
    "a long string cut off by the end": ('x = 1\ny = """abc\nstill open\n', 3, 0),
    "a bracket cut off by the end": ("x = [1,\n  2,\n", 2, 0),
    "a block cut off by the end": ("def f():\n    if x:\n", 2, 0),
    "a block that returns to a depth it never had": ("if x:\n        y\n    z\nw\n", 4, 1),
    "an error before an open bracket": ("a ? b\nx = [1,\n", 2, 1),
    "other newlines": ("x = 1\r\ny = 2\r\n", 2, 0),
}


@pytest.mark.parametrize(("text", "lines", "bad"), CASES.values(), ids=CASES)
def test_case(text: str, lines: int, bad: int) -> None:
    found = python_lines(text)
    assert (found.lines, found.bad) == (lines, bad)
    assert found.share == (1 - bad / lines if lines else 1)


def test_the_library_of_this_python_is_python() -> None:
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.glob("*.py"))[:40]:
        assert python_lines(path.read_text(encoding="utf-8")).bad == 0, path.name


def test_cut_off_anywhere_it_stays_python() -> None:
    text = Path(python_lines.__code__.co_filename).read_text(encoding="utf-8")
    for end in range(0, len(text), 37):
        assert python_lines(text[:end]).bad == 0, text[:end][-60:]
