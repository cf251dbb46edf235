"""`codex checkpoint`: what it prints, and what its exit code means."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `train`")

from codex.checkpoint import find_latest, save, verify  # noqa: E402
from codex.cli.app import run  # noqa: E402
from codex.file import Lock, verify_folder  # noqa: E402
from tests.checkpoint.trained import configured, drawn, save_model  # noqa: E402

SaveStep = Callable[..., Path]
Codex = Callable[..., "subprocess.CompletedProcess[str]"]
Type = Callable[..., "Ran"]
BASE = "runs/base/checkpoints"


@pytest.fixture
def run_folder(save_step: SaveStep, tmp_path: Path, checkpoints: Path) -> Path:
    """`runs/base` with three checkpoints, the newest of them the best."""
    for step, metrics in {
        100: {"held_out_bits_per_byte": 1.9, "loss": 2.5},
        200: {},
        300: {"held_out_bits_per_byte": 1.4},
    }.items():
        save_step(step, metrics=metrics)
    run = tmp_path / "runs" / "base"
    run.mkdir(parents=True)
    checkpoints.rename(run / "checkpoints")
    return run


@pytest.fixture
def model_run(tmp_path: Path) -> Path:
    """`runs/base` with two checkpoints of a small model."""
    config = configured()
    model = drawn(config)
    for step in (100, 200):
        save_model(tmp_path / BASE, model, config, step=step)
        with torch.no_grad():
            model.model.norm.weight += 0.25
    return tmp_path / "runs" / "base"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Type:
    """Runs `codex checkpoint ...` in this process and folder, on a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(*words: str) -> Ran:
        capfd.readouterr()
        code = run(["checkpoint", *words])
        return Ran(code, *capfd.readouterr())

    return typed


@pytest.fixture
def shown(type_: Type) -> Callable[..., str]:
    """What a command that must end with `code` prints, sizes of files taken out."""

    def output(*words: str, code: int = 0) -> str:
        ran = type_(*words)
        assert ran.code == code, ran.err
        return re.sub(r"\d+\.\d [kMG]?B", "SIZE", ran.out)

    return output


def damage(run: Path, step: int, file: str = "optimizer.safetensors") -> None:
    path = run / "checkpoints" / f"step-{step:08}" / file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


LIST = """\
step  size     tensors  held_out_bits_per_byte  loss  marks        path
300   SIZE  5        1.4                     -     latest best  runs/base/checkpoints/step-00000300
200   SIZE  5        -                       -     -            runs/base/checkpoints/step-00000200
100   SIZE  5        1.9                     2.5   pinned       runs/base/checkpoints/step-00000100
"""


def test_list_shows_the_newest_first_and_marks_what_matters(
    shown: Callable[..., str], run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / BASE / "step-00000100.pin").touch()
    for place in ("base", "runs/base", BASE):
        assert shown("list", place) == LIST
    by_loss = shown("list", "base", "--metric", "loss").splitlines()
    assert [line.split()[5] for line in by_loss[1:]] == ["latest", "-", "best"]
    assert "latest best" in shown("list", "base", "--metric", "held_out_bits_per_byte", "--quiet")
    highest = shown("list", "base", "--highest").splitlines()
    assert [line.split()[5:-1] for line in highest[1:]] == [["latest"], ["-"], ["best", "pinned"]]
    alone = shown("list", f"{BASE}/step-00000300").splitlines()[1]
    assert alone.split()[4] == "-"  # one checkpoint says nothing of the others


def test_list_gives_the_same_as_json(type_: Type, run_folder: Path) -> None:
    answer = json.loads(type_("list", "base", "--json").out)
    assert (answer["schema_version"], answer["kind"], answer["damaged"]) == (1, "checkpoint_list", [])
    assert [
        (row["step"], row["metrics"], row["tensors"], row["is_best"]) for row in answer["checkpoints"]
    ] == [
        (300, {"held_out_bits_per_byte": 1.4}, 5, True),
        (200, {}, 5, False),
        (100, {"held_out_bits_per_byte": 1.9, "loss": 2.5}, 5, False),
    ]
    assert [(row["is_latest"], row["is_pinned"]) for row in answer["checkpoints"]] == [(True, False)] + [
        (False, False)
    ] * 2
    assert all(
        (run_folder.parents[1] / row["path"]).is_dir() and row["bytes"] > 1000
        for row in answer["checkpoints"]
    )


def test_verify_reads_everything_and_says_how_fast(type_: Type, run_folder: Path) -> None:
    ran = type_("verify", "base")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["step", "300", "200", "100"]
    total = sum(verify(path).bytes for path in (run_folder / "checkpoints").glob("step-*"))
    assert re.fullmatch(rf"verify: {total:,} of {total:,}, \d+\.\d [kMG]B/s\n", ran.err)
    assert type_("verify", "base", "--quiet").err == ""


def test_verify_names_the_damage_and_exits_4(type_: Type, run_folder: Path) -> None:
    damage(run_folder, 200)
    for place in ("base", f"{BASE}/step-00000200"):
        ran = type_("verify", place)
        assert ran.code == 4
        assert "step-00000200/optimizer.safetensors`: tensor `momentum.b` is damaged" in ran.err
        assert "Traceback" not in ran.err
    answer = json.loads(type_("verify", "base", "--json").out)
    assert [row["step"] for row in answer["checkpoints"]] == [300, 100]
    assert [Path(row["path"]).name for row in answer["damaged"]] == ["step-00000200"]
    assert type_("verify", f"{BASE}/step-00000100").code == 0


def test_what_does_not_open_is_exit_4_in_a_list_too(type_: Type, run_folder: Path) -> None:
    (run_folder / "checkpoints" / "step-00000100" / "manifest.json").unlink()
    for place in ("base", f"{BASE}/step-00000100"):
        ran = type_("list", place)
        assert ran.code == 4
        assert "has no manifest.json" in ran.err


def test_verify_takes_any_folder_with_a_manifest_of_ours(
    type_: Type, shown: Callable[..., str], model_run: Path
) -> None:
    out = model_run.parents[1] / "weights"
    shown("export", "base", "--to", "safetensors", "--out", "weights")
    assert shown("verify", "weights") == "weights: model, 1 files, SIZE, all as they were written\n"
    answer = json.loads(type_("verify", "weights", "--json").out)
    assert (answer["kind"], answer["kind_of_folder"], answer["files"]) == ("folder_verify", "model", 1)
    (out / "model.safetensors").write_bytes(b"")
    ran = type_("verify", "weights")
    assert (ran.code, ran.out) == (4, "") and "model.safetensors" in ran.err


DIFF = """\
key or file  A    B
step         100  200

file                   tensor             change
model.safetensors      model.norm.weight  32 of 32 values differ, by at most 0.25
optimizer.safetensors  momentum.x         4 of 4 values differ, by at most 100

2 of 25 common tensors differ
"""


def test_diff_shows_what_changed_and_exits_1(type_: Type, shown: Callable[..., str], model_run: Path) -> None:
    first, second = f"{BASE}/step-00000100", f"{BASE}/step-00000200"
    assert shown("diff", first, second, code=1) == DIFF
    ran = type_("diff", first, "base", "--json")
    answer = json.loads(ran.out)
    assert ran.code == 1 and "checkpoint runs/base/checkpoints/step-00000200" in ran.err
    assert (answer["kind"], answer["equal"], answer["common_tensors"]) == ("checkpoint_diff", False, 25)
    assert answer["keys"] == [{"name": "step", "before": 100, "after": 200}]
    assert [(each["name"], each["differing"], each["largest"]) for each in answer["tensors"]] == [
        ("model.norm.weight", 32, pytest.approx(0.25)),
        ("momentum.x", 4, 100.0),
    ]


def test_diff_of_equals_is_0_and_of_other_shapes_1(
    type_: Type, shown: Callable[..., str], model_run: Path
) -> None:
    wide = configured(width=64)
    save_model(model_run.parent / "wide", drawn(wide), wide, step=100)
    shutil.copytree(model_run, model_run.parent / "copy")
    said = "equal by digest: 25 tensors, and every key and file; `codex checkpoint verify` reads the bytes"
    assert shown("diff", "base", "copy") == f"{said}\n"
    told = shown("diff", f"{BASE}/step-00000100", "runs/wide/step-00000100", code=1)
    assert ["config.model.width", "32", "64"] in [line.split() for line in told.splitlines()]
    assert "model.norm.weight" in told and "F32 [32] -> F32 [64]\n" in told
    assert told.endswith("\n24 of 25 common tensors differ\n")


def test_diff_with_a_damaged_one_is_exit_4(type_: Type, model_run: Path) -> None:
    damage(model_run, 200)
    ran = type_("diff", f"{BASE}/step-00000100", f"{BASE}/step-00000200")
    assert (ran.code, ran.out) == (4, "")
    assert "tensor `momentum.x` is damaged" in ran.err


def test_export_makes_a_folder_and_refuses_one_that_is_there(
    shown: Callable[..., str], type_: Type, model_run: Path
) -> None:
    expected = (
        "out/hf: 24 tensors, SIZE in config.json, model.safetensors, tokenizer.json, tokenizer_config.json\n"
    )
    assert shown("export", "base", "--to", "hf", "--out", "out/hf") == expected
    before = everything_in(model_run.parents[1] / "out")
    ran = type_("export", "base", "--to", "safetensors", "--out", "out/hf")
    assert ran.code == 2
    assert "error: UsageError: `out/hf` is there already" in ran.err and "give `--overwrite`" in ran.err
    assert everything_in(model_run.parents[1] / "out") == before
    answer = type_("export", "base", "--to", "safetensors", "--out", "out/hf", "--overwrite", "--json")
    assert json.loads(answer.out)["files"] == ["model.safetensors"]
    verify_folder(model_run.parents[1] / "out" / "hf")


def test_a_run_with_a_damaged_newest_gives_the_one_before(type_: Type, model_run: Path) -> None:
    damage(model_run, 200)
    ran = type_("export", "base", "--to", "safetensors", "--out", "weights")
    assert ran.code == 0
    assert "warning: skipped `runs/base/checkpoints/step-00000200`" in ran.err
    assert "checkpoint runs/base/checkpoints/step-00000100\n" in ran.err


def test_import_says_what_it_took_and_what_not(
    shown: Callable[..., str], type_: Type, model_run: Path
) -> None:
    shown("export", "base", "--to", "hf", "--out", "hf")
    ran = type_("import", "hf", "--out", "ours")
    assert ran.code == 0
    assert ran.out == "ours/step-00000000: 24 tensors, from config.json, model.safetensors, tokenizer.json\n"
    assert "nothing was taken from manifest.json, tokenizer_config.json\n" in ran.err
    assert type_("verify", "ours").code == 0
    again = type_("import", "hf", "--out", "ours")
    assert again.code == 2 and "`ours/step-00000000` is there already" in again.err
    answer = json.loads(type_("import", "hf", "--out", "ours", "--overwrite", "--json").out)
    assert (answer["kind"], answer["tensors"]) == ("checkpoint_import", 24)


PRUNES: dict[str, tuple[tuple[str, ...], list[int]]] = {
    "the newest": (("--keep-last", "1", "--keep-best", "0"), [300]),
    "the best": (("--keep-last", "0", "--keep-best", "2"), [100, 300]),
    "the best by another": (("--keep-last", "0", "--keep-best", "1", "--metric", "loss"), [100, 300]),
    "the best that is highest": (("--keep-last", "0", "--keep-best", "1", "--highest"), [100, 300]),
    "every so many": (("--keep-last", "1", "--keep-best", "0", "--keep-every", "200"), [200, 300]),
    "never the newest": (("--keep-last", "0", "--keep-best", "0"), [300]),
}


@pytest.mark.parametrize(("options", "kept"), PRUNES.values(), ids=PRUNES)
def test_prune_keeps_what_it_was_told_to(
    shown: Callable[..., str], run_folder: Path, options: tuple[str, ...], kept: list[int]
) -> None:
    before = everything_in(run_folder)
    gone = [f"{BASE}/step-{step:08}" for step in (300, 200, 100) if step not in kept]
    told = shown("prune", "base", *options, "--dry-run")
    assert told.splitlines() == ([f"would remove {path}" for path in gone] or ["would remove nothing"])
    assert everything_in(run_folder) == before
    assert shown("prune", "base", *options).splitlines() == [f"removed {path}" for path in gone]
    assert sorted(path.name for path in run_folder.glob("checkpoints/step-*")) == [
        f"step-{step:08}" for step in kept
    ]
    assert shown("prune", "base", *options) == "removed nothing\n"


def test_prune_leaves_the_pinned_the_unreadable_and_the_newest_that_verifies(
    type_: Type, run_folder: Path
) -> None:
    assert type_("pin", f"{BASE}/step-00000100").out == f"pinned {BASE}/step-00000100\n"
    damage(run_folder, 300)
    ran = type_("prune", "base", "--keep-last", "1", "--keep-best", "0", "--json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["removed"], answer["dry_run"]) == (0, [], False)
    assert "left alone" in ran.err and "momentum.b` is damaged" in ran.err
    unpinned = type_("unpin", f"{BASE}/step-00000100", "--json")
    assert json.loads(unpinned.out)["was_pinned"] is True
    ran = type_("prune", "base", "--keep-last", "1", "--keep-best", "0")
    assert ran.out == f"removed {BASE}/step-00000100\n"
    found = find_latest(run_folder / "checkpoints")
    assert found is not None and found.step == 200


def test_what_prune_found_damaged_it_does_not_remove(type_: Type, run_folder: Path) -> None:
    damage(run_folder, 300)
    ran = type_("prune", "base", "--keep-last", "0", "--keep-best", "0")
    assert (ran.code, ran.out) == (0, f"removed {BASE}/step-00000100\n")
    assert "left alone: `runs/base/checkpoints/step-00000300/" in ran.err
    assert sorted(path.name for path in run_folder.glob("checkpoints/step-*")) == [
        "step-00000200",
        "step-00000300",
    ]


def test_a_pin_may_be_set_twice_and_taken_once(shown: Callable[..., str], run_folder: Path) -> None:
    place = f"{BASE}/step-00000200"
    for _ in range(2):
        assert shown("pin", place) == f"pinned {place}\n"
    assert shown("unpin", place) == f"unpinned {place}\n"
    assert shown("unpin", place) == f"{place} was not pinned\n"
    assert not (run_folder / "checkpoints" / "step-00000200.pin").exists()


def test_a_writer_at_work_keeps_pin_and_prune_away(type_: Type, run_folder: Path) -> None:
    before = sorted(everything_in(run_folder))
    with Lock(run_folder / "checkpoints" / "writer.lock"):
        for words in (
            ("pin", f"{BASE}/step-00000100"),
            ("prune", "base", "--keep-last", "1", "--keep-best", "0"),
        ):
            ran = type_(*words)
            assert ran.code == 5 and "error: LockError: " in ran.err
    assert sorted(everything_in(run_folder)) == before


#: Command -> the words it is called with; `{}` is the path that is wrong.
CALLS = {
    "list": ("list", "{}"),
    "verify": ("verify", "{}"),
    "diff, left": ("diff", "{}", "base"),
    "diff, right": ("diff", "base", "{}"),
    "export": ("export", "{}", "--to", "hf", "--out", "x"),
    "prune": ("prune", "{}", "--keep-last", "1", "--keep-best", "0"),
    "pin": ("pin", "{}"),
    "unpin": ("unpin", "{}"),
}


@pytest.mark.parametrize("words", CALLS.values(), ids=CALLS)
def test_what_is_missing_or_no_folder_is_exit_3(
    type_: Type, run_folder: Path, words: tuple[str, ...]
) -> None:
    home = run_folder.parents[1]
    (home / "file").write_text("")
    (home / "model.pt").write_text("")
    for place, message in {
        "nowhere": "MissingDataError: no checkpoint, run or folder is at `nowhere`",
        "file": "DataError: `file` is a file, expected the folder of a checkpoint",
        "model.pt": "DataError: `model.pt` is a pickle, which can run code when it is opened",
    }.items():
        ran = type_(*(word.format(place) for word in words))
        assert (ran.code, ran.out) == (3, ""), ran.err
        assert message in ran.err
    assert not (home / "x").exists()


@pytest.mark.parametrize("command", ["list", "verify", "export"])
def test_a_folder_without_a_checkpoint_is_exit_3(type_: Type, tmp_path: Path, command: str) -> None:
    (tmp_path / "empty").mkdir()
    rest = ("--to", "hf", "--out", "x") if command == "export" else ()
    ran = type_(command, "empty", *rest)
    assert (ran.code, ran.out) == (3, "")
    assert "MissingDataError: `empty` holds no checkpoint" in ran.err


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "prune of one checkpoint": (
        ("prune", f"{BASE}/step-00000100", "--keep-last", "1", "--keep-best", "0"), 2, "is one checkpoint, expected the folder"
    ),
    "prune without a number": (("prune", "base", "--keep-best", "1"), 2, "missing option `--keep-last`"),
    "prune below nothing": (("prune", "base", "--keep-last", "-1", "--keep-best", "0"), 2, "expected at least 0"),
    "prune by every 0": (
        ("prune", "base", "--keep-last", "1", "--keep-best", "0", "--keep-every", "0"), 2, "`keep_every_steps` is 0"
    ),
    "pin of a run": (("pin", "base"), 2, "`base` is not one checkpoint"),
    "export to a pickle": (("export", "base", "--to", "pt", "--out", "x"), 2, "an export to `pt` is not known"),
    "export without a place": (("export", "base", "--to", "hf"), 2, "missing option `--out`"),
    "export of no model": (("export", "base", "--to", "hf", "--out", "x"), 4, "holds no tokenizer or no configuration"),
    "export into a file": (("export", "base", "--to", "safetensors", "--out", "file/x"), 5, "`file"),
    "export over a file": (("export", "base", "--to", "safetensors", "--out", "file", "--overwrite"), 2, "is not an export"),
    "export over a run": (("export", "base", "--to", "safetensors", "--out", "runs", "--overwrite"), 2, "is not an export"),
    "export where nobody may write": (("export", "base", "--to", "safetensors", "--out", "/proc/x/y"), 3, "create `/proc/x`"),
    "import of a run": (("import", "runs/base", "--out", "x"), 3, "holds neither `model.safetensors` nor"),
    "import of nothing": (("import", "nowhere", "--out", "x"), 3, "no folder is at `nowhere`"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_changes_nothing(
    type_: Type, run_folder: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    home = run_folder.parents[1]
    (home / "file").write_text("mine")
    before = everything_in(home)
    ran = type_(*words)
    assert (ran.code, ran.out) == (code, ""), ran.err
    assert message in ran.err
    assert everything_in(home) == before


def test_a_reader_that_has_had_enough_is_no_error(run_folder: Path) -> None:
    """`codex checkpoint list base | head -1`."""
    for words in ("list base", "verify base", "prune base --keep-last 9 --keep-best 0"):
        line = f"{sys.executable} -m codex checkpoint {words} | head -1; echo ${{PIPESTATUS[0]}}"
        ran = subprocess.run(
            ["bash", "-c", line], cwd=run_folder.parents[1], capture_output=True, text=True, check=True
        )
        assert ran.stdout.splitlines()[-1] == "0", words
        assert "Traceback" not in ran.stderr and "Broken" not in ran.stderr


def test_only_values_that_differ_need_torch(codex: Codex, run_folder: Path) -> None:
    blocked = run_folder / "torch.py"
    blocked.write_text("raise ImportError('torch must not be imported')")
    environment: Mapping[str, str] = {"PYTHONPATH": str(run_folder)}
    shutil.copytree(run_folder / "checkpoints" / "step-00000100", run_folder.parent / "copy")
    place = f"{BASE}/step-00000100"
    for words in (
        ("list", "base"),
        ("verify", "base"),
        ("diff", place, "runs/copy"),
        ("pin", place),
        ("prune", "base", "--keep-last", "1", "--keep-best", "0"),
        ("export", place, "--to", "safetensors", "--out", "x"),
    ):
        ran = codex("checkpoint", *words, environment=environment)
        assert ran.returncode == 0, (words, ran.stderr)


def test_a_name_that_steers_a_terminal_is_shown_written_out(type_: Type, tmp_path: Path) -> None:
    parts: dict[str, Any] = {"optimizer": {}, "state_tensors": {}, "state": {}, "files": {}}
    for name, value in (("a", 1.0), ("b", 2.0)):
        save(tmp_path / name, 1, model={"evil\x1b[2J": torch.tensor(value)}, **parts)
    ran = type_("diff", "a", "b")
    assert ran.code == 1 and "\x1b" not in ran.out and r"evil\x1b[2J" in ran.out
