"""Every command and every example that README and the pages show is run, page by page, in the order it is read.

In a fence marked `console`, a line that starts with `$ ` is a command of a person in an empty folder: exit code 0 unless the
line ends in `# exit N`; other lines are what it prints and must stand in the output (`...` stands for anything). A fence marked
`python` or `pycon` is one script a page. The two commands of README that set everything up are run by `.ci/run`.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(console|python|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXIT = re.compile(r"\s+# exit (\d+)$")


@dataclass
class Command:
    line: str
    exit_code: int
    shown: list[str]


def commands_of(block: str) -> list[Command]:
    found: list[Command] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            match = EXIT.search(line)
            found.append(Command(EXIT.sub("", line[2:]), int(match[1]) if match else 0, []))
        elif found and line.strip():
            found[-1].shown.append(line.rstrip())
    return found


def stands_in(shown: str, output: str) -> bool:
    """Whether a shown line, `...` for anything and white space folded, is a part of the output."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in shown.split("..."))
    return re.search(pattern, " ".join(output.split())) is not None


@pytest.mark.parametrize(
    "page", [page for page in PAGES if FENCE.search(page.read_text())], ids=lambda page: page.stem
)
def test_what_a_page_shows_is_what_happens(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if re.search(r"codex train|torch", page.read_text()):
        pytest.importorskip("torch", reason="needs the extra `train`")
    if "--config lora" in page.read_text():
        pytest.importorskip("peft", reason="needs the extra `hf`")
    monkeypatch.chdir(tmp_path)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    names: dict[str, object] = {"__name__": "__main__"}
    for kind, block in FENCE.findall(page.read_text()):
        if kind == "console":
            for command in commands_of(block):
                ran = subprocess.run(
                    ["bash", "-c", command.line],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=False,
                    cwd=tmp_path,
                )
                output = ran.stdout + ran.stderr
                assert ran.returncode == command.exit_code, f"$ {command.line}\n{output}"
                missing = [line for line in command.shown if not stands_in(line, output)]
                assert missing == [], f"$ {command.line}\n{output}"
        elif ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), 0)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
            runner.run(test, clear_globs=False)
            assert runner.failures == 0
            names.update(test.globs)
        else:
            exec(compile(block, str(page), "exec"), names)


def test_every_local_link_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
