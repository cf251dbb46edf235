"""The cache: built once, keyed by content, mended when damaged, shared between processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codex.config.schema import Config, Tokens
from codex.data.contents import unfinished_folders
from codex.data.load import SplitTokens
from codex.data.prepare import Prepared, prepare, prepare_until
from codex.data.store import STAGES, Place, cache_folder
from codex.data.verify import verify
from codex.errors import DamageError, DataError, MachineError, MissingDataError, UsageError
from codex.file import Lock, read_manifest, write_manifest
from codex.tokens import Tokenizer, train_bpe

Configure = Callable[..., Config]
Tree = Callable[[Path], dict[str, str]]

NOTHING = dict.fromkeys(STAGES, False)
EVERYTHING = dict.fromkeys(STAGES, True)

PREPARE = """
import sys
from pathlib import Path
from codex.config.schema import Config, Tokens
from codex.data.contents import unfinished_folders
from codex.data.load import SplitTokens
from codex.data.prepare import prepare

class Printer:
    def say(self, line): print(line, flush=True)
    def step(self, stage, done, total): pass

prepare(Config.model_validate_json(sys.argv[1]), cache=Path(sys.argv[2]), progress=Printer())
"""


def folders(prepared: Prepared) -> list[Path]:
    return [prepared.records, prepared.splits, prepared.tokenizer, prepared.shards]


def test_second_time_builds_nothing_and_gives_the_same(config: Config, tmp_path: Path) -> None:
    first, second = prepare(config, cache=tmp_path / "c"), prepare(config, cache=tmp_path / "c")
    assert first.built == EVERYTHING and second.built == NOTHING
    assert folders(first) == folders(second)
    assert first.lineage == second.lineage


def test_two_caches_hold_the_same_bytes(config: Config, tree: Tree, tmp_path: Path) -> None:
    prepare(config, cache=tmp_path / "one")
    prepare(config, cache=tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_changed_byte_in_a_raw_file_builds_everything_again(
    config: Config, corpus: Path, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    (corpus / "document 02.txt").write_text("one byte more, one less")
    assert prepare(config, cache=tmp_path / "c").built == EVERYTHING


def test_touched_file_builds_nothing_again(config: Config, corpus: Path, tmp_path: Path) -> None:
    prepare(config, cache=tmp_path / "c")
    os.utime(corpus / "document 02.txt", (1, 1))
    assert prepare(config, cache=tmp_path / "c").built == NOTHING


def test_other_vocabulary_keeps_records_and_splits(
    config: Config, corpus: Path, configure: Configure, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    built = prepare(configure(corpus, vocabulary_size=301), cache=tmp_path / "c").built
    assert built == {"records": False, "splits": False, "tokenizer": True, "shards": True}


def test_other_fraction_keeps_the_records(
    config: Config, corpus: Path, configure: Configure, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    built = prepare(configure(corpus, validation_fraction=0.3), cache=tmp_path / "c").built
    assert built == {**EVERYTHING, "records": False}


def test_going_back_finds_what_was_built_before(
    config: Config, corpus: Path, configure: Configure, tmp_path: Path
) -> None:
    prepare(config, cache=tmp_path / "c")
    prepare(configure(corpus, vocabulary_size=301), cache=tmp_path / "c")
    assert prepare(config, cache=tmp_path / "c").built == NOTHING


def test_lineage_leads_from_raw_files_to_shards(config: Config, tmp_path: Path) -> None:
    prepared = prepare(config, cache=tmp_path / "c")
    lineage = {entry["kind"]: entry for entry in prepared.lineage}
    assert list(lineage) == list(STAGES)
    assert all(parent["digest"].startswith("sha256:") for parent in lineage["records"]["parents"])
    assert [parent["digest"] for parent in lineage["splits"]["parents"]] == [lineage["records"]["digest"]]
    assert [parent["digest"] for parent in lineage["shards"]["parents"]] == [
        lineage["splits"]["digest"],
        lineage["tokenizer"]["digest"],
    ]
    assert lineage["shards"]["digest"] == read_manifest(prepared.shards)["digest"]


@pytest.mark.parametrize("stage", STAGES)
def test_damaged_stage_is_built_again_and_says_so(
    config: Config, tree: Tree, listener: Any, tmp_path: Path, stage: str
) -> None:
    folder = getattr(prepare(config, cache=tmp_path / "c"), stage)
    whole = tree(tmp_path / "c")
    for path in sorted(folder.iterdir()):
        if path.name == "build.json":
            continue
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        listener.said.clear()
        assert prepare(config, cache=tmp_path / "c", progress=listener).built == {**NOTHING, stage: True}
        assert any(
            line.startswith(f"{stage}: damaged, building it again: ") and path.name in line
            for line in listener.said
        )
        assert tree(tmp_path / "c") == whole


@pytest.mark.parametrize("name", ["manifest.json", "records.ndjson"])
def test_stage_that_lost_a_file_is_built_again(config: Config, tree: Tree, tmp_path: Path, name: str) -> None:
    (prepare(config, cache=tmp_path / "c").records / name).unlink()
    assert prepare(config, cache=tmp_path / "c").built == {**NOTHING, "records": True}
    assert (prepare(config, cache=tmp_path / "c").records / name).exists()


def test_stage_of_a_newer_codex_is_not_thrown_away(config: Config, tmp_path: Path) -> None:
    folder = prepare_until("records", config, place=Place(tmp_path, tmp_path / "out"))["records"].folder
    newer = {key: value for key, value in read_manifest(folder).items() if key != "digest"} | {
        "schema_version": 99
    }
    write_manifest(folder, newer)
    with pytest.raises(DamageError, match=r"99"):
        prepare_until("records", config, place=Place(tmp_path, tmp_path / "out"))
    assert (folder / "records.ndjson").exists()


def test_out_folder_holds_the_stages_by_name(config: Config, tree: Tree, tmp_path: Path) -> None:
    stages = prepare_until("shards", config, place=Place(tmp_path / "cache", tmp_path / "out"))
    assert [stage.folder for stage in stages.values()] == [tmp_path / "out" / name for name in STAGES]
    assert not (tmp_path / "cache").exists()
    in_cache = prepare(config, cache=tmp_path / "cache")
    assert tree(tmp_path / "out" / "shards") == tree(in_cache.shards)


def test_out_folder_of_another_configuration_is_built_again_and_says_so(
    config: Config, corpus: Path, configure: Configure, listener: Any, tmp_path: Path
) -> None:
    place = Place(tmp_path / "cache", tmp_path / "out")
    prepare_until("splits", config, place=place)
    stages = prepare_until(
        "splits", configure(corpus, validation_fraction=0.3), place=place, progress=listener
    )
    assert {name: stage.built for name, stage in stages.items()} == {"records": False, "splits": True}
    assert any("was made from something else, building it again" in line for line in listener.said)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_out_folder_with_something_of_the_users_is_left_alone(
    config: Config, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "out").mkdir()
    mine = tmp_path / "out" / "records"
    if kind == "folder":
        mine.mkdir()
        mine = mine / "thesis.txt"
    mine.write_text("years of work")
    with pytest.raises(UsageError, match=r"is in the way: it is no folder of prepared data"):
        prepare_until("records", config, place=Place(tmp_path / "cache", tmp_path / "out"))
    assert mine.read_text() == "years of work"


@pytest.mark.parametrize("out", ["prepared here", "."])
def test_out_folder_inside_the_corpus_is_no_part_of_it(config: Config, corpus: Path, out: str) -> None:
    place = Place(corpus / "my cache", corpus / out)
    first = prepare_until("records", config, place=place)["records"]
    second = prepare_until("records", config, place=place)["records"]
    assert (first.built, second.built) == (True, False)
    assert second.manifest["counts"]["records"] == 25


def test_cache_inside_the_corpus_is_no_part_of_it(config: Config, corpus: Path) -> None:
    assert prepare(config, cache=corpus / "cache").built == EVERYTHING
    assert prepare(config, cache=corpus / "cache").built == NOTHING


def test_cache_that_cannot_be_made_is_a_machine_error(config: Config, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"cannot create `.*/file`: file exists") as caught:
        prepare(config, cache=tmp_path / "file")
    assert caught.value.hint and "CODEX_CACHE_DIR" in caught.value.hint


def test_finished_cache_is_used_without_writing(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(config, cache=tmp_path / "c")

    def refuse(*_: object, **__: object) -> None:
        raise MachineError("read-only")

    for name in ("Lock", "PartialFolder", "sweep_partial", "require_space"):
        monkeypatch.setattr(f"codex.data.store.{name}", refuse)
    assert prepare(config, cache=tmp_path / "c").built == NOTHING


def test_too_little_room_is_said_before_anything_is_written(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr("codex.data.store.require_space", lambda path, size: asked.append(size))
    prepared = prepare(config, cache=tmp_path / "c")
    raw = prepared.lineage[0]["counts"]["file_bytes"]
    assert asked[0] >= raw and len(asked) == 4


def test_waits_for_the_process_that_builds_and_takes_its_result(
    config: Config, listener: Any, tmp_path: Path
) -> None:
    whole = prepare(config, cache=tmp_path / "whole")
    key = whole.records.name
    stage = tmp_path / "c" / "prepared" / "records"
    stage.mkdir(parents=True)
    result: list[Prepared] = []
    with Lock(stage / f"{key}.lock"):
        waiter = threading.Thread(
            target=lambda: result.append(prepare(config, cache=tmp_path / "c", progress=listener))
        )
        waiter.start()
        while not any("waiting" in line for line in listener.said):
            waiter.join(0.01)
            assert waiter.is_alive()
        whole.records.rename(stage / key)
    waiter.join()
    assert any(str(os.getpid()) in line for line in listener.said if "waiting" in line)
    assert result[0].built == {**EVERYTHING, "records": False}


def test_processes_that_prepare_the_same_do_not_collide(config: Config, tree: Tree, tmp_path: Path) -> None:
    prepare(config, cache=tmp_path / "whole")
    words = [sys.executable, "-c", PREPARE, config.model_dump_json(), str(tmp_path / "shared")]
    running = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4
    for stage in STAGES:
        built = [
            text
            for text in said
            if any(f"{stage}:" in line and "(built:" in line for line in text.splitlines())
        ]
        assert len(built) == 1
    assert tree(tmp_path / "shared") == tree(tmp_path / "whole")


def test_corpus_error_leaves_nothing_behind(tmp_path: Path, configure: Configure) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a").write_bytes(b"\0")
    with pytest.raises(DataError):
        prepare(configure(tmp_path / "raw"), cache=tmp_path / "c")
    left = [path for path in (tmp_path / "c" / "prepared").rglob("*") if path.is_file()]
    assert [path for path in left if path.suffix != ".lock"] == []


def test_cache_folder_is_the_environments_else_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_CACHE_DIR", "/somewhere/else")
    assert cache_folder() == Path("/somewhere/else")
    monkeypatch.delenv("CODEX_CACHE_DIR")
    assert cache_folder() == Path.home() / ".cache" / "codex"


def test_every_stage_tells_its_steps_to_the_end(config: Config, listener: Any, tmp_path: Path) -> None:
    prepare(config, cache=tmp_path / "c", progress=listener)
    last = {stage: (done, total) for stage, done, total in listener.steps}
    assert set(last) == {
        "digests",
        "read",
        "records",
        "split",
        "tokenizer",
        "tokenize train",
        "tokenize validation",
    }
    assert all(done == total > 0 for done, total in last.values())


def test_a_tokenizer_of_ones_own_is_kept_and_the_shards_are_made_with_it(
    config: Config, configure: Configure, corpus: Path, tmp_path: Path
) -> None:
    own = train_bpe(["the cat sat"], 265)
    (tmp_path / "own").mkdir()
    own.save(tmp_path / "own" / "tokenizer.json")
    for path in (tmp_path / "own", tmp_path / "own" / "tokenizer.json"):
        brought = config.model_copy(update={"tokens": Tokens(tokenizer=str(path))})
        prepared = prepare(brought, cache=tmp_path / "c")
        assert Tokenizer.from_file(prepared.tokenizer / "tokenizer.json").fingerprint == own.fingerprint
        assert SplitTokens(prepared.shards, "train").tokenizer == own.fingerprint
    assert prepared.built == NOTHING, "the folder and the file in it are one tokenizer"
    assert verify(tmp_path / "c").problems == []
    assert prepare(config, cache=tmp_path / "c").built["tokenizer"]

    train_bpe(["the cat sat"], 265, ()).save(tmp_path / "endless.json")
    endless = config.model_copy(update={"tokens": Tokens(tokenizer=str(tmp_path / "endless.json"))})
    with pytest.raises(DataError, match="no special token"):
        prepare(endless, cache=tmp_path / "c")
    missing = config.model_copy(update={"tokens": Tokens(tokenizer=str(tmp_path / "none"))})
    with pytest.raises(MissingDataError, match="none"):
        prepare(missing, cache=tmp_path / "c")


def test_shards_that_are_made_are_kept_when_it_is_interrupted(
    config: Config, tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(config, cache=tmp_path / "whole")

    def interrupt(made: Path, name: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("codex.data.tokenize._place", interrupt)
        prepare(config, cache=tmp_path / "c")
    (unfinished,) = unfinished_folders(tmp_path / "c")
    made = (unfinished / "train" / "train-00000.safetensors").stat()
    prepared = prepare(config, cache=tmp_path / "c")
    assert (prepared.shards / "train-00000.safetensors").stat().st_ino == made.st_ino
    assert unfinished_folders(tmp_path / "c") == []
    assert tree(tmp_path / "c") == tree(tmp_path / "whole")
