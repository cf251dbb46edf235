"""`codex config` as a stranger runs it: data on stdout, one block on stderr, exit 2 for what cannot be run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config import Config, dump_yaml, json_schema, load

Codex = Callable[..., "subprocess.CompletedProcess[str]"]

BAD = """\
modle:
  width: 200
model:
  width: 100
  heads: 3
  key_value_heads: 3
  tie_embeddings: yes
train:
  max_steps: 1e3
  max_steps: 50
  warmup_step: 5
  learning_rate: "1e-4"
evaluate:
  max_steps: 5
"""

BLOCK = """\
error: ConfigError: 8 faults in the configuration
  unknown key `modle` (bad.yaml:1:1)
    hint: did you mean `model`?
  `model.width` is 100, expected a multiple of `model.heads`, which is 3 (bad.yaml:4:10, bad.yaml:5:10)
    hint: use `model.width: 96` or `model.width: 102`
  `model.tie_embeddings` is the text `yes`, expected true or false (bad.yaml:7:19)
    hint: use `true`
  `train.max_steps` is 1000.0, expected a whole number from 1 to 1000000000 (bad.yaml:9:14)
    hint: use `1000`
  `train.max_steps` is written twice, first at bad.yaml:9:3 (bad.yaml:10:3)
    hint: keep one of them
  unknown key `train.warmup_step` (bad.yaml:11:3)
    hint: did you mean `train.warmup_steps`?
  `train.learning_rate` is the text `1e-4`, expected a number above 0 and at most 10 (bad.yaml:12:18)
    hint: remove the quotes
  unknown key `evaluate.max_steps` (bad.yaml:14:3)
    hint: did you mean `train.max_steps`?
"""


def test_validate_says_everything_that_is_wrong(codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD)
    done = codex("config", "validate", "bad.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", BLOCK)


def test_validate_lists_faults_for_programs(codex: Codex, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("train:\n  max_step: 5\n")
    done = codex("config", "validate", "bad.yaml", "model.width=5", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 2
    assert (facts["kind"], facts["is_valid"], facts["digest"]) == ("config.validate", False, None)
    assert facts["faults"][0] == {
        "message": "unknown key `train.max_step`",
        "key": "train.max_step",
        "hint": "did you mean `train.max_steps`?",
        "file": "bad.yaml",
        "line": 2,
        "column": 3,
    }
    assert (facts["faults"][1]["key"], facts["faults"][1]["line"]) == ("model.width", None)
    assert json.loads(done.stderr)["error"] == "ConfigError"


def test_validate_of_a_good_file_prints_its_digest(codex: Codex) -> None:
    done = codex("config", "validate", "base")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"base is valid: {Config().digest}\n", "")


def test_show_prints_a_configuration_with_the_same_digest(codex: Codex, tmp_path: Path) -> None:
    done = codex("config", "show", "--config", "smoke", "+train.max_steps=33", "--train.warmup_steps=3")
    wanted = load("smoke", ["train.max_steps=33", "train.warmup_steps=3"]).config
    assert (done.returncode, done.stdout) == (0, dump_yaml(wanted))
    assert done.stderr.endswith(f"smoke.yaml: {wanted.digest}\n")


def test_show_with_comments_is_the_default_file(codex: Codex) -> None:
    done = codex("config", "show", "--comments", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, dump_yaml(Config(), comments=True), "")


def test_show_for_programs_holds_values_and_origins(codex: Codex) -> None:
    facts = json.loads(codex("config", "show", "train.max_steps=50", "--json").stdout)
    assert facts["config"]["train"]["max_steps"] == 50
    assert facts["origins"]["train.max_steps"] == "command line"
    assert facts["digest"] == load("base", ["train.max_steps=50"]).config.digest


def test_explain_prints_one_key_or_a_section(codex: Codex) -> None:
    one = codex("config", "show", "--explain", "train.device", "train.device=cpu")
    assert one.stdout == (
        "train.device: cpu\n"
        "  Where to compute; `auto` takes a GPU if torch sees one.\n"
        "  from     command line\n"
        "  default  auto\n"
        "  takes    one of `auto`, `cpu`, `cuda`\n"
    )
    facts = json.loads(codex("config", "show", "--explain", "generate", "--json").stdout)
    assert [each["key"] for each in facts["keys"]] == [
        f"generate.{name}" for name in Config().generate.model_dump()
    ]


def test_schema_prints_json(codex: Codex) -> None:
    assert json.loads(codex("config", "schema").stdout) == json_schema()
    assert json.loads(codex("config", "schema", "--json").stdout)["schema"] == json_schema()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_narrow_terminal_and_plain_locale_change_nothing_that_is_said(
    codex: Codex, tmp_path: Path, locale: str
) -> None:
    (tmp_path / "bad.yaml").write_text("train:\n  max_step: 5\n")
    done = codex(
        "config", "validate", "bad.yaml", environment={"LANG": locale, "COLUMNS": "20", "NO_COLOR": "1"}
    )
    assert done.stderr == (
        "error: ConfigError: unknown key `train.max_step` (bad.yaml:2:3)\n\nhint: did you mean `train.max_steps`?\n"
    )


def test_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    line = f"{sys.executable} -m codex config schema | head -c 5"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '{\n  "', "")


def test_configuration_of_a_pipe_is_read(tmp_path: Path) -> None:
    line = f"{sys.executable} -m codex config validate <(echo 'train: {{max_steps: 100}}')"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, "is valid" in done.stdout) == (0, True), done.stderr


def test_configuration_imports_nothing_that_computes() -> None:
    program = "import sys, codex.config as c; c.load('base'); print(sorted({'torch', 'numpy', 'typer'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
