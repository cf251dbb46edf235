"""`codex train`, `codex generate` and `codex infer`, as they are typed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.cli.app import run
from codex.file import verify_folder
from tests.train.tiny import TINY

Type = Callable[..., tuple[int, str, str]]


@pytest.fixture
def words(corpus: Path) -> list[str]:
    return [f"{key}={value}" for key, value in (TINY | {"data.paths": f"[{corpus}]"}).items()]


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Type:
    """Runs a command in this process and folder; the exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = run(list(words))
        out, err = capfdbinary.readouterr()
        return code, out.decode(errors="replace"), err.decode()

    return typed


def test_train_then_generate_then_infer(type_: Type, words: list[str], tmp_path: Path) -> None:
    code, out, err = type_("train", *words)
    assert code == 0, err
    for part in ("bits per byte", "xz -9e", "gzip -9", "of a step", "lines tokenize as Python", "--resume"):
        assert part in out
    assert "prepare " in out and "evaluate " in out and "sample " in out

    code, again, err = type_("train", *words, "--resume", "--json")
    facts = json.loads(again)
    assert code == 0 and facts["was_finished"] is True and facts["kind"] == "train"
    assert facts["step"] == 12 and Path(facts["checkpoint"]).is_dir()

    command = facts["generate_command"].split()[1:]
    code, text, err = type_(*command, "--prompt", "def häm", "generate.max_tokens=5")
    assert code == 0, err
    assert text.startswith("def häm") and text.endswith("\n")
    code, same, _ = type_("generate", "run.name=tiny", "--prompt", "def häm", "generate.max_tokens=5")
    assert (code, same) == (0, text), "the newest run is the one that was named"
    code, other, _ = type_(*command, "--prompt", "def häm", "--seed", "8", "generate.max_tokens=5")
    assert code == 0 and other != text
    code, answer, _ = type_(*command, "--prompt", "def häm", "generate.max_tokens=5", "--json")
    made = json.loads(answer)
    assert made["prompt"] + made["text"] == text[:-1] and made["step"] == 12 and made["tokens"] <= 5

    (tmp_path / "prompts.txt").write_text("x = 1\n\nclass A:\n")
    asked = [
        "infer",
        "run.name=tiny",
        "--prompt",
        "def ",
        "--prompts",
        "prompts.txt",
        "generate.max_tokens=4",
    ]
    code, answer, err = type_(*asked, "--json")
    assert code == 0, err
    rows = json.loads(answer)["rows"]
    assert [row["prompt"] for row in rows] == ["def ", "x = 1", "class A:"]
    assert [row["seed"] for row in rows] == [0, 1, 2]
    assert type_(*asked)[0] == 0
    first, second = (tmp_path / "artifacts" / "infer" / number for number in ("0001", "0002"))
    assert (first / "continuations.ndjson").read_bytes() == (second / "continuations.ndjson").read_bytes()
    manifest = verify_folder(first)
    checkpoint = json.loads((Path(facts["checkpoint"]) / "manifest.json").read_bytes())
    assert manifest["parents"] == [{"kind": "checkpoint", "digest": checkpoint["digest"]}]
    assert [json.loads(line) for line in (first / "continuations.ndjson").read_text().splitlines()] == rows


def test_the_command_to_resume_is_one_that_works(type_: Type, words: list[str]) -> None:
    code, out, _ = type_("train", *words, "--json")
    assert code == 0
    import shlex

    facts = json.loads(out)
    command = shlex.split(facts["resume_command"])
    assert command[0] == "codex"
    code, out, err = type_(*command[1:], "--json")
    assert code == 0, err
    assert json.loads(out)["was_finished"] is True


def test_changed_keys_are_one_line_each_and_may_be_allowed(type_: Type, words: list[str]) -> None:
    assert type_("train", *words)[0] == 0
    changed = [*words, "train.max_steps=13", "train.weight_decay=0.5", "model.dropout=0.25"]
    code, out, err = type_("train", *changed, "--resume")
    assert code == 2 and out == ""
    lines = err.splitlines()
    assert lines[0].endswith("run `runs/tiny` began with another configuration")
    assert lines[1:3] == ["  `model.dropout` was 0.0, is 0.25", "  `train.weight_decay` was 0.1, is 0.5"]
    assert "--allow-changes" in err
    code, _, err = type_("train", *changed, "--resume", "--allow-changes")
    assert code == 0 and "changed: `train.weight_decay` was 0.1, is 0.5" in err


def test_quiet_talks_only_on_stdout(type_: Type, words: list[str]) -> None:
    code, out, err = type_("train", *words, "--quiet")
    assert code == 0 and err == "" and out.startswith("run ")


@pytest.mark.parametrize(
    ("asked", "code", "part"),
    [
        (["generate"], 3, "no run `base`"),
        (["generate", "--from", "nowhere"], 3, "nowhere"),
        (["infer"], 2, "no text"),
        (["infer", "--prompts", "absent.txt"], 3, "absent.txt"),
        (["train", "train.device=cuda"], 5, "train.device"),
        (["train", "--resume", "--resume-from", "x"], 2, "both"),
        (["train", "--resume-from", "x"], 3, "no checkpoint"),
        (["train", "--allow-changes"], 2, "without `--resume`"),
        (["train", "data.paths=[absent]", "data.corpus=null"], 3, "absent"),
        (["train", "run.directory=/proc/nowhere"], 5, "/proc/nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_one_block_with_its_code(
    type_: Type, asked: list[str], code: int, part: str
) -> None:
    found, out, err = type_(*asked)
    assert found == code, err
    assert part in err and err.count("error:") == 1 and out == "" and "Traceback" not in err


def test_a_run_in_use_is_refused(type_: Type, words: list[str], tmp_path: Path) -> None:
    from codex.file import Lock

    assert type_("train", *words)[0] == 0
    with Lock(tmp_path / "runs" / "tiny" / "run.lock"):
        code, _, err = type_("train", *words, "--resume")
    assert code == 5 and str(os.getpid()) in err


def test_a_damaged_checkpoint_writes_no_text(type_: Type, words: list[str], tmp_path: Path) -> None:
    assert type_("train", *words)[0] == 0
    checkpoint = tmp_path / "runs" / "tiny" / "checkpoints" / "step-00000012"
    weights = checkpoint / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    code, out, err = type_("generate", "--from", str(checkpoint))
    assert code == 4 and out == "" and "model.safetensors" in err
