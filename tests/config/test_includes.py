"""`include:` lays a file over others: the later wins, key by key, and every value keeps its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from codex.config import load
from codex.config.load import MAXIMUM_INCLUDES
from codex.errors import ConfigError

Write = Callable[..., Path]


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_later_wins_key_by_key(write: Write) -> None:
    path = write(
        one="train: {max_steps: 100, warmup_steps: 1}\nmodel: {layers: 1}\n",
        two="train: {max_steps: 200}\nmodel: {layers: 2}\n",
        top="include: [one.yaml, two.yaml]\ntrain: {micro_batch_size: 3}\nmodel: {layers: 3}\n",
    )
    loaded = load(path)
    train = loaded.config.train
    assert (train.max_steps, train.warmup_steps, train.micro_batch_size) == (200, 1, 3)
    assert loaded.config.model.layers == 3
    assert {key: str(origin) for key, origin in loaded.origins.items()} == {
        "train.max_steps": "two.yaml:1:20",
        "train.warmup_steps": "one.yaml:1:39",
        "train.micro_batch_size": "top.yaml:2:27",
        "model.layers": "top.yaml:3:17",
    }


def test_include_is_relative_to_its_file_or_a_packaged_name(write: Write, tmp_path: Path) -> None:
    path = write(top="include: deep/middle.yaml\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "middle.yaml").write_text("include: [smoke, side.yaml]\n")
    (tmp_path / "deep" / "side.yaml").write_text("train: {max_steps: 33}\n")
    loaded = load(path)
    assert loaded.config.train.max_steps == 33
    assert str(loaded.origins["train.max_steps"]) == "deep/side.yaml:1:20"
    assert str(loaded.origins["model.width"]).startswith("codex/configs/training/smoke.yaml:")


def test_file_that_two_others_include_is_merged_once(write: Write) -> None:
    path = write(
        common="train: {max_steps: 100, warmup_steps: 1}\n",
        one="include: common.yaml\ntrain: {max_steps: 50}\n",
        two="include: common.yaml\ntrain: {warmup_steps: 2}\n",
        top="include: [one.yaml, two.yaml]\n",
    )
    train = load(path).config.train
    assert (train.max_steps, train.warmup_steps) == (50, 2)


def test_list_is_replaced_and_not_joined(write: Write) -> None:
    path = write(one="data: {include: [a, b]}\n", top="include: one.yaml\ndata: {include: [c]}\n")
    assert load(path).config.data.include == ("c",)


def test_empty_section_changes_nothing(write: Write) -> None:
    path = write(one="train: {max_steps: 100}\n", top="include: one.yaml\ntrain:\n  # max_steps: 7\n")
    assert load(path).config.train.max_steps == 100


def test_value_laid_over_a_section_is_refused_where_it_stands(write: Write) -> None:
    path = write(one="train: {max_steps: 100}\n", top="include: one.yaml\ntrain: 5\n")
    assert refused(path) == "`train` is 5, expected a section (top.yaml:2:8)"


def test_circle_is_refused_with_its_chain(write: Write) -> None:
    path = write(c="include: a.yaml\n", b="include: c.yaml\n", a="include: b.yaml\n", top="include: a.yaml\n")
    assert refused(path) == "files include each other: a.yaml -> b.yaml -> c.yaml -> a.yaml (c.yaml:1:10)"
    assert (
        refused(write(me="include: me.yaml\n"))
        == "files include each other: me.yaml -> me.yaml (me.yaml:1:10)"
    )


def test_circle_through_a_link_is_seen(write: Write, tmp_path: Path) -> None:
    path = write(me="include: link.yaml\n")
    (tmp_path / "link.yaml").symlink_to("me.yaml")
    assert refused(path) == "files include each other: me.yaml -> link.yaml (me.yaml:1:10)"


def test_chain_is_of_limited_length(write: Write) -> None:
    def chain(length: int) -> Path:
        files = {f"f{n}": f"include: f{n + 1}.yaml\n" for n in range(length - 1)}
        write(**files, **{f"f{length - 1}": "train: {max_steps: 77}\n"})
        return Path("f0.yaml")

    assert load(chain(MAXIMUM_INCLUDES)).config.train.max_steps == 77
    assert refused(chain(MAXIMUM_INCLUDES + 1)) == (
        f"`f32.yaml` is included more than {MAXIMUM_INCLUDES} deep (f31.yaml:1:10)"
    )


BAD = {
    "missing.yaml": "no configuration file `missing.yaml` (top.yaml:1:10)",
    ".": "`.` is a folder, expected a file (top.yaml:1:10)",
    "5": "`include` takes a file or a list of files (top.yaml:1:10)",
    "{a: b}": "`include` takes a file or a list of files (top.yaml:1:10)",
    "[one.yaml, [one.yaml]]": "`include` takes a file or a list of files (top.yaml:1:21)",
    "": "`include` takes a file or a list of files (top.yaml:1:9)",
    "tab.yaml": "a tab indents this line, expected spaces (tab.yaml:2:1)",
    "typo.yaml": "unknown key `train.max_step` (typo.yaml:1:9)",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_include_is_refused_where_it_stands(write: Write, name: str) -> None:
    path = write(
        one="run:\n", tab="train:\n\tmax_steps: 1\n", typo="train: {max_step: 5}\n", top=f"include: {name}\n"
    )
    assert refused(path) == BAD[name]


def test_faults_of_all_files_and_the_command_line_come_at_once(write: Write) -> None:
    path = write(
        b="train: {max_step: 5}\n",
        c="model: {width: wide\n",
        a="include: [b.yaml, c.yaml, b2.yaml]\ntrain: {warmup_steps: soon}\ntrain: {}\n",
    )
    with pytest.raises(ConfigError) as caught:
        load(path, ["evaluate.strid=5", "model"])
    assert str(caught.value) == (
        "7 faults in the configuration\n"
        "  no configuration file `b2.yaml` (a.yaml:1:27)\n"
        "    hint: did you mean `b.yaml`?\n"
        "  `train.warmup_steps` is the text `soon`, expected a whole number from 0 to 1000000000 "
        "(a.yaml:2:23)\n"
        "  `train` is written twice, first at a.yaml:2:1 (a.yaml:3:1)\n"
        "    hint: keep one of them\n"
        "  unknown key `train.max_step` (b.yaml:1:9)\n"
        "    hint: did you mean `train.max_steps`?\n"
        "  not YAML: a mapping that is not closed, expected `,` or `}` (c.yaml:2:1)\n"
        "  `model` is not an override, expected `key=value` (command line)\n"
        "  unknown key `evaluate.strid` (command line)\n"
        "    hint: did you mean `evaluate.stride`?"
    )
