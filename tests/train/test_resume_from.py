"""`--resume-from`: a checkpoint, a folder of them, or a run, gone on from in a fresh run."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex.errors import DamageError, DataError, Interrupted, MissingDataError, UsageError
from codex.train import Summary, train
from tests.train.tiny import Settings, Talk


def test_resume_from_goes_on_in_a_fresh_run(settings: Settings, whole: Summary) -> None:
    first = train(settings())
    kept = {path: path.read_bytes() for path in first.run.rglob("*") if path.is_file()}
    summary = train(settings(), resume_from=whole.run / "checkpoints" / "step-00000008")
    assert summary.run.name == "tiny-2" and summary.first_step == 8
    for name in ("model.safetensors", "optimizer.safetensors", "state.safetensors"):
        assert (summary.checkpoint / name).read_bytes() == (whole.checkpoint / name).read_bytes()
    assert {path: path.read_bytes() for path in kept} == kept, "the run it came from is as it was"


def test_resume_from_then_stopped_then_resumed(settings: Settings, whole: Summary) -> None:
    loaded = settings()
    with pytest.raises(Interrupted):
        train(loaded, resume_from=whole.run / "checkpoints" / "step-00000008", progress=Talk(stop_at=9))
    summary = train(loaded, resume=True)
    assert summary.first_step == 9
    assert (summary.checkpoint / "model.safetensors").read_bytes() == (
        whole.checkpoint / "model.safetensors"
    ).read_bytes()


def test_resume_from_nothing_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        train(settings(), resume_from=tmp_path / "nowhere")
    with pytest.raises(DataError, match="is a pickle"):
        train(settings(), resume_from=tmp_path / "epoch-3.ckpt")
    with pytest.raises(UsageError, match="both"):
        train(settings(), resume=True, resume_from=tmp_path)
    assert not Path(settings().config.run.directory).exists()


@pytest.mark.parametrize("place", [".", "checkpoints", "checkpoints/step-00000012"])
def test_a_run_a_folder_of_checkpoints_and_one_checkpoint_are_places(
    settings: Settings, whole: Summary, place: str
) -> None:
    summary = train(settings(**{"train.max_steps": 13}), resume_from=whole.run / place)
    assert (summary.first_step, summary.step) == (12, 13)


def _damage(checkpoint: Path) -> None:
    data = bytearray((checkpoint / "optimizer.safetensors").read_bytes())
    data[-1] ^= 1
    (checkpoint / "optimizer.safetensors").write_bytes(data)


def test_of_a_run_the_newest_that_verifies_is_taken_of_a_checkpoint_only_itself(settings: Settings) -> None:
    first = train(settings())
    _damage(first.checkpoint)
    talk = Talk()
    summary = train(settings("other"), resume_from=first.run, progress=talk)
    assert summary.first_step == 8
    assert [str(first.checkpoint) in warning for warning in talk.warnings] == [True]
    assert any("resuming from" in line and "step-00000008" in line for line in talk.lines)
    with pytest.raises(DamageError, match=r"optimizer\.safetensors"):
        train(settings("third"), resume_from=first.checkpoint)
    assert not Path(settings("third").config.run.directory).exists(), "refused before there is a run"
