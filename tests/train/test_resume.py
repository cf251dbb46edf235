"""A run that was stopped and resumed ends with the same bytes as one that was not; and what may not go on, does not."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from codex.config import LoadedConfig
from codex.errors import ConfigError, DamageError, DataError, Interrupted
from codex.train import Summary, train
from tests.train.tiny import TINY, Settings, Talk, assert_same_end, write_corpus


def _stopped(loaded: LoadedConfig, step: int, *, resume: bool = False) -> Interrupted:
    with pytest.raises(Interrupted) as stop:
        train(loaded, resume=resume, progress=Talk(stop_at=step))
    return stop.value


@pytest.mark.parametrize("step", [1, 3, 4, 6, 8, 11])
def test_stopped_after_any_step_it_ends_with_the_same_bytes(
    settings: Settings, whole: Summary, step: int
) -> None:
    loaded = settings()
    _stopped(loaded, step)
    talk = Talk()
    summary = train(loaded, resume=True, progress=talk)
    assert summary.first_step == step
    assert_same_end(whole.run, summary.run)
    assert any("resuming from" in line and f"step-{step:08}" in line for line in talk.lines)


def test_stopped_after_every_step_it_ends_with_the_same_bytes(settings: Settings, whole: Summary) -> None:
    loaded = settings()
    for step in range(1, 12):
        _stopped(loaded, step, resume=step > 1)
    assert_same_end(whole.run, train(loaded, resume=True).run)


@pytest.mark.parametrize(
    "changes",
    [
        {"train.optimizer": "adamw"},
        {"train.accumulate_steps": 3, "train.micro_batch_size": 2},
        {"train.threads": 2},
        {"train.precision": "bf16"},
        {"model.tie_embeddings": "false", "model.key_value_heads": 2},
    ],
    ids=str,
)
def test_resume_is_exact_whatever_the_settings(settings: Settings, changes: dict[str, object]) -> None:
    unbroken = train(settings("one", **changes))
    again = train(settings("two", **changes))
    assert_same_end(unbroken.run, again.run)
    loaded = settings("three", **changes)
    _stopped(loaded, 5)
    assert_same_end(unbroken.run, train(loaded, resume=True).run)


def test_another_seed_gives_other_weights(settings: Settings, whole: Summary) -> None:
    other = train(settings(**{"run.seed": 1}))
    assert (other.checkpoint / "model.safetensors").read_bytes() != (
        whole.checkpoint / "model.safetensors"
    ).read_bytes()


def test_a_finished_run_says_so_and_changes_nothing(settings: Settings) -> None:
    loaded = settings()
    first = train(loaded)
    kept = {
        path: path.read_bytes() for path in first.run.rglob("*") if path.is_file() and "log" not in path.name
    }
    second = train(loaded, resume=True)
    assert second.was_finished and not first.was_finished
    assert "nothing was left to do" in second.lines()[0]
    assert second.report == first.report
    assert {path: path.read_bytes() for path in kept} == kept


def test_a_report_that_is_missing_is_made_again_and_the_journal_has_it_once(settings: Settings) -> None:
    loaded = settings()
    first = train(loaded)
    rows = (first.run / "metrics.ndjson").read_text()
    for path in (first.run / "evaluation").iterdir():
        path.unlink()
    second = train(loaded, resume=True)
    assert not second.was_finished and second.report == first.report
    assert (first.run / "metrics.ndjson").read_text() == rows


def test_more_steps_go_on_from_the_last(settings: Settings) -> None:
    train(settings())
    summary = train(settings(**{"train.max_steps": 15}), resume=True)
    assert (summary.first_step, summary.step) == (12, 15)


def test_without_a_checkpoint_it_starts_again_in_the_same_folder(settings: Settings, whole: Summary) -> None:
    loaded = settings()
    _stopped(loaded, 1)
    run = Path(loaded.config.run.directory) / "tiny"
    for path in (run / "checkpoints").glob("step-*"):
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
    talk = Talk()
    summary = train(loaded, resume=True, progress=talk)
    assert summary.run == run and summary.first_step == 0
    assert any("no checkpoint" in line and "step 0" in line for line in talk.lines)
    assert_same_end(whole.run, summary.run)


def test_without_a_run_it_starts_one_and_says_so(settings: Settings) -> None:
    talk = Talk()
    summary = train(settings(**{"train.max_steps": 4}), resume=True, progress=talk)
    assert summary.step == 4
    assert any("no earlier run" in line for line in talk.lines)


def test_the_machine_of_the_start_is_used_again_before_any_checkpoint(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = settings(**{"train.threads": "null", "train.precision": "auto"})
    _stopped(loaded, 1)
    run = Path(loaded.config.run.directory) / "tiny"
    started_on = json.loads((run / "machine.json").read_bytes())
    monkeypatch.setattr("codex.train.machine._product_s", None)  # measuring again would fail
    summary = train(loaded, resume=True)
    state = json.loads((summary.checkpoint / "state.json").read_bytes())
    assert state["machine"] == {key: value for key, value in started_on.items() if key != "schema_version"}


def _flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "file",
    ["model.safetensors", "optimizer.safetensors", "state.safetensors", "state.json", "tokenizer.json"],
)
def test_a_damaged_checkpoint_is_named_and_passed_over(settings: Settings, whole: Summary, file: str) -> None:
    loaded = settings()
    _stopped(loaded, 10)
    newest = Path(loaded.config.run.directory) / "tiny" / "checkpoints" / "step-00000010"
    _flip(newest / file, -2)
    talk = Talk()
    summary = train(loaded, resume=True, progress=talk)
    assert summary.first_step == 8
    assert [str(newest) in warning and file in warning for warning in talk.warnings] == [True]
    assert newest.is_dir(), "what is passed over is left alone"
    assert_same_end(whole.run, summary.run)


def test_if_every_checkpoint_is_damaged_nothing_is_started_over(settings: Settings) -> None:
    loaded = settings()
    _stopped(loaded, 10)
    for path in Path(loaded.config.run.directory).rglob("model.safetensors"):
        _flip(path, -1)
    with pytest.raises(DamageError):
        train(loaded, resume=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.width", 24),
        ("train.learning_rate", 0.01),
        ("train.micro_batch_size", 2),
        ("run.seed", 3),
        ("tokens.vocabulary_size", 290),
        ("data.validation_fraction", 0.2),
    ],
)
def test_other_keys_are_refused_by_name(settings: Settings, key: str, value: object) -> None:
    _stopped(settings(), 5)
    for arguments in ({"resume": True}, {"resume_from": Path(settings().config.run.directory) / "tiny"}):
        with pytest.raises(ConfigError, match=key):
            train(settings(**{key: value}), **arguments)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.log_every_steps", 5),
        ("checkpoint.every_steps", 3),
        ("checkpoint.keep_last", 1),
        ("evaluate.every_steps", 5),
        ("generate.max_tokens", 3),
    ],
)
def test_keys_that_change_no_weight_may_change(
    settings: Settings, whole: Summary, key: str, value: object
) -> None:
    _stopped(settings(), 5)
    summary = train(settings(**{key: value}), resume=True)
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (summary.checkpoint / name).read_bytes() == (whole.checkpoint / name).read_bytes()


def test_other_text_is_refused(settings: Settings, tmp_path: Path) -> None:
    text = tmp_path / "own" / "text"
    write_corpus(text)
    loaded = settings(**{"data.paths": f"[{text}]"})
    _stopped(loaded, 5)
    (text / "000.py").write_text("changed = True\n")
    for arguments in ({"resume": True}, {"resume_from": Path(loaded.config.run.directory) / "tiny"}):
        with pytest.raises(DataError, match=r"data|tokens"):
            train(loaded, **arguments)


def test_a_signal_leaves_with_its_code_and_the_command_to_go_on(settings: Settings) -> None:
    assert "train.threads" in TINY
    loaded = settings()
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        talk = Talk(stop_at=3 if code == 130 else 6, number=number)
        with pytest.raises(Interrupted) as stop:
            train(loaded, resume=code == 143, progress=talk)
        assert stop.value.exit_code == code
        assert stop.value.hint is not None and stop.value.hint.startswith("codex train ")
        assert stop.value.hint.endswith(" --resume") and "model.width=16" in stop.value.hint
        assert "saved in" in stop.value.message


def test_a_save_on_demand_changes_no_byte_and_can_be_resumed(settings: Settings, whole: Summary) -> None:
    loaded = settings(**{"checkpoint.every_steps": 100, "checkpoint.keep_last": 9})
    talk = Talk(stop_at=5, number=signal.SIGUSR1)
    summary = train(loaded, progress=talk)
    assert talk.warnings == ["SIGUSR1: finishing this step and saving"]
    assert sorted(path.name for path in summary.checkpoint.parent.glob("step-*")) == [
        "step-00000005",
        "step-00000012",
    ]
    resumed = train(
        settings("resumed"), resume_from=summary.checkpoint.with_name("step-00000005"), allow_changes=True
    )
    for end in summary, resumed:
        for name in ("model.safetensors", "optimizer.safetensors"):
            assert (end.checkpoint / name).read_bytes() == (whole.checkpoint / name).read_bytes()


def test_a_second_signal_ends_at_once_and_damages_nothing(settings: Settings, whole: Summary) -> None:
    class Impatient(Talk):
        def step(self, stage: str, done: int, total: int, note: str = "") -> None:
            for _ in range(2):
                super().step(stage, done, total, note)

    loaded = settings()
    with pytest.raises(Interrupted, match="at once"):
        train(loaded, progress=Impatient(stop_at=7))
    summary = train(loaded, resume=True)
    assert summary.first_step == 4
    assert_same_end(whole.run, summary.run)
