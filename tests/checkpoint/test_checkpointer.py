"""Saving again and again: what is saved is what was there, errors are told, and nothing is left when the process ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from codex.checkpoint import Checkpointer, find_latest, list_checkpoints, load, verify
from codex.errors import DiskFullError, MachineError, UsageError
from codex.file import FailPoints

both = pytest.mark.parametrize("asynchronous", [False, True], ids=["synchronous", "asynchronous"])


def steps(checkpoints: Path) -> list[int]:
    return [summary.step for summary in list_checkpoints(checkpoints).checkpoints]


def leftovers(checkpoints: Path) -> list[str]:
    return [path.name for path in checkpoints.iterdir() if "partial" in path.name]


def run_script(folder: Path, script: str, rules: str = "") -> subprocess.CompletedProcess[str]:
    """Run `script` in a process of its own; `checkpoints` is the folder in it."""
    head = f"""
        import os, sys, time, warnings
        import torch
        from codex.checkpoint import Checkpointer
        warnings.simplefilter("ignore")  # newer Pythons warn of any fork beside a thread
        checkpoints = {str(folder)!r}
        weight = torch.arange(1 << 21, dtype=torch.float32)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(script)],
        env={**os.environ, "CODEX_FAIL_POINTS": rules, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_what_is_saved_is_what_was_there_when_save_was_called(checkpoints: Path) -> None:
    weight, momentum, count = (
        torch.zeros(1 << 20),
        torch.zeros(1 << 19, dtype=torch.bfloat16),
        torch.tensor(0),
    )
    with Checkpointer(checkpoints, keep_last=9, asynchronous=True) as checkpointer:
        for step in range(1, 7):
            for tensor in (weight, momentum, count):
                tensor.fill_(step)
            model = {"weight": weight, "tied": weight, "turned": weight[:6].view(2, 3).t().clone().t()}
            checkpointer.save(
                step, model=model, optimizer={"momentum": momentum}, state_tensors={"count": count}
            )
            for tensor in (weight, momentum, count):
                tensor.fill_(-1)
    assert steps(checkpoints) == [6, 5, 4, 3, 2, 1]
    for summary in list_checkpoints(checkpoints).checkpoints:
        loaded = load(summary.path)
        tensors = [*loaded.model.values(), *loaded.optimizer.values(), *loaded.state_tensors.values()]
        assert len(tensors) == 5
        assert all(bool((tensor == summary.step).all()) for tensor in tensors), summary.path
        assert loaded.model["tied"].data_ptr() == loaded.model["weight"].data_ptr()


def test_a_second_buffer_is_filled_only_while_the_first_is_written(checkpoints: Path) -> None:
    def places() -> list[int]:
        buffers = [*checkpointer._free, *checkpointer._busy]
        return sorted(buffer._memory.data_ptr() for buffer in buffers if buffer._memory is not None)

    checkpointer = Checkpointer(checkpoints, keep_last=1, asynchronous=True)
    for step in range(3):
        checkpointer.save(step, model={"weight": torch.zeros(1 << 20)})
        checkpointer.wait()
    [first] = places()
    for step in range(3, 9):
        checkpointer.save(step, model={"weight": torch.zeros(1 << 20)})
    both = places()
    assert len(both) == 2 and first in both
    for step in range(9, 12):
        checkpointer.save(step, model={"weight": torch.zeros(1 << 20)})
    assert places() == both
    checkpointer.close()


def test_a_third_save_waits_for_the_first(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpointer = Checkpointer(checkpoints, keep_last=9, asynchronous=True)
    writer = checkpointer._writer
    assert writer is not None
    calls = []

    def finished(in_flight: int) -> object:
        calls.append(in_flight)
        return writer.finished(in_flight)

    monkeypatch.setattr(checkpointer, "_writer", SimpleNamespace(finished=finished, submit=writer.submit))
    for step in range(3):
        checkpointer.save(step, model={"weight": torch.zeros(1 << 22)})
    assert calls == [1, 1, 1]
    checkpointer.close()
    assert steps(checkpoints) == [2, 1, 0]


@both
def test_it_rotates_after_each_save_and_says_what_is_on_the_disk(
    checkpoints: Path, asynchronous: bool
) -> None:
    run = SimpleNamespace(checkpoints=checkpoints)
    protected = checkpoints / "step-00000010"
    with Checkpointer(
        run,
        keep_last=1,
        keep_every_steps=40,
        keep_best=1,
        metric="loss",
        highest=True,
        protect=[protected],
        asynchronous=asynchronous,
        digest="sha256",
    ) as checkpointer:
        assert checkpointer.saved is None and checkpointer.rotation is None
        for step, loss in {10: 1.0, 20: 5.0, 30: 2.0, 40: 1.0, 50: 1.0, 60: 1.0}.items():
            checkpointer.save(step, model={"weight": torch.ones(2)}, state={"metrics": {"loss": loss}})
            checkpointer.wait()
            assert checkpointer.saved == checkpoints / f"step-{step:08}"
            verify(checkpointer.saved)
    assert steps(checkpoints) == [60, 40, 20, 10]
    assert checkpointer.rotation is not None
    assert checkpointer.rotation.removed == [checkpoints / "step-00000050"]
    assert b'"sha256:' in (protected / "manifest.json").read_bytes()
    assert b'"xxh3' not in (protected / "manifest.json").read_bytes()


def test_an_error_of_the_thread_is_raised_by_the_next_save_which_is_not_begun(checkpoints: Path) -> None:
    model = {"weight": torch.ones(1 << 18)}
    checkpointer = Checkpointer(checkpoints, keep_last=9, asynchronous=True)
    checkpointer.save(1, model=model)
    checkpointer.wait()
    with FailPoints("checkpoint.model.write=enospc@1") as points:
        checkpointer.save(2, model=model)
        while points.fired == 0:
            pass
    with pytest.raises(DiskFullError, match="step-00000002"):
        # The error is there by the second call at the latest: the first may come before the thread has given up.
        for step in (3, 4, 5):
            checkpointer.save(step, model=model)
    checkpointer.wait()  # told once
    assert 2 not in steps(checkpoints) and 5 not in steps(checkpoints)
    checkpointer.save(6, model=model)
    checkpointer.close()
    assert checkpointer.saved == checkpoints / "step-00000006"
    assert leftovers(checkpoints) == []


@pytest.mark.parametrize("last", ["wait", "close"])
@pytest.mark.parametrize("rule", ["checkpoint.optimizer.sync=sync-fails", "checkpoint.rotate.rename=eio"])
def test_an_error_of_the_thread_is_raised_by_what_comes_last(checkpoints: Path, last: str, rule: str) -> None:
    model = {"weight": torch.ones(4)}
    checkpointer = Checkpointer(checkpoints, keep_last=1, asynchronous=True)
    checkpointer.save(1, model=model)
    checkpointer.wait()
    with FailPoints(rule), pytest.raises(MachineError):
        checkpointer.save(2, model=model)
        getattr(checkpointer, last)()
    checkpointer.close()
    found = find_latest(checkpoints)
    assert found is not None and found.step == (2 if "rotate" in rule else 1)
    assert checkpointer.saved == found.path


def test_two_errors_are_one_with_a_note(checkpoints: Path) -> None:
    checkpointer = Checkpointer(checkpoints, keep_last=1, asynchronous=True, digest="sha256")
    with FailPoints("checkpoint.manifest.create=eio"):
        checkpointer.save(1, model={"weight": torch.ones(1 << 24)})  # long enough for the next call
        checkpointer.save(2, model={"weight": torch.ones(4)})
        with pytest.raises(MachineError, match="step-00000001") as error:
            checkpointer.wait()
    assert "step-00000002" in error.value.__notes__[0]
    checkpointer.close()


def test_an_error_of_the_thread_does_not_hide_the_exception_that_ends_the_with(checkpoints: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError) as error,
        FailPoints("checkpoint.model.create=eio"),
        Checkpointer(checkpoints, keep_last=1, asynchronous=True) as checkpointer,
    ):
        checkpointer.save(1, model={"weight": torch.ones(4)})
        raise ZeroDivisionError
    assert re.fullmatch(
        r"and a save had failed: cannot create .*model\.safetensors`: .*", error.value.__notes__[0]
    )


def test_what_cannot_be_stored_is_refused_by_the_call_and_nothing_is_begun(checkpoints: Path) -> None:
    base = torch.ones(4, 4)
    with Checkpointer(checkpoints, keep_last=1, asynchronous=True) as checkpointer:
        for model, state, message in (
            ({"left": base, "right": base[1:]}, {}, "overlap in memory"),
            ({"x": torch.zeros(2, dtype=torch.complex64)}, {}, "tensor `x` is torch.complex64"),
            ({}, {"shape": (1, 2)}, "`state.shape` is tuple"),
            ({}, {"metrics": {"loss": "low"}}, "`state.metrics.loss` is 'low', expected a number"),
            ({}, {"metrics": [1.0]}, "`state.metrics` is list"),
        ):
            with pytest.raises(UsageError, match=re.escape(message)):
                checkpointer.save(1, model=model, state=state)
        checkpointer.wait()
        assert checkpointer.saved is None
    with pytest.raises(UsageError, match="is closed"):
        checkpointer.save(1, model={})
    assert not checkpoints.exists()


@both
def test_a_digest_that_does_not_exist_is_refused(checkpoints: Path, asynchronous: bool) -> None:
    checkpointer = Checkpointer(checkpoints, keep_last=1, asynchronous=asynchronous, digest="md5")
    with pytest.raises(UsageError, match="`digest` is `md5`, expected `xxh3` or `sha256`"):
        checkpointer.save(1, model={"x": torch.ones(1)})


def test_a_save_in_flight_at_the_end_of_the_interpreter_is_finished(checkpoints: Path) -> None:
    ran = run_script(
        checkpoints,
        """
        checkpointer = Checkpointer(checkpoints, keep_last=9, asynchronous=True)
        checkpointer.save(1, model={"weight": weight})
        checkpointer.save(2, model={"weight": weight})
        sys.exit(3)
        """,
    )
    assert (ran.returncode, ran.stderr) == (3, "")
    assert steps(checkpoints) == [2, 1]
    for summary in list_checkpoints(checkpoints).checkpoints:
        verify(summary.path)


def test_an_error_that_nobody_asked_for_is_told_at_the_end(checkpoints: Path) -> None:
    ran = run_script(
        checkpoints,
        """
        checkpointer = Checkpointer(checkpoints, keep_last=9, asynchronous=True)
        checkpointer.save(1, model={"weight": weight})
        """,
        rules="checkpoint.manifest.sync=sync-fails",
    )
    assert re.fullmatch(
        r"error: a checkpoint is not as it should be: cannot sync .*manifest.json`: .*\n", ran.stderr
    )
    assert find_latest(checkpoints) is None


def test_a_fork_cannot_save_and_does_not_keep_the_lock(checkpoints: Path) -> None:
    ran = run_script(
        checkpoints,
        """
        from codex.errors import UsageError

        with Checkpointer(checkpoints, keep_last=9, asynchronous=True) as checkpointer:
            checkpointer.save(1, model={"weight": weight})
            worker = os.fork()
            if worker == 0:
                try:
                    checkpointer.save(2, model={"weight": weight})
                except UsageError as error:
                    print(f"in the fork: {error}", flush=True)
                time.sleep(5)
            else:
                checkpointer.wait()
                checkpointer.save(3, model={"weight": weight})
                checkpointer.wait()
                assert os.waitpid(worker, os.WNOHANG) == (0, 0)
        if worker:
            print(checkpointer.saved.name)
            os.kill(worker, 9)
            os.waitpid(worker, 0)
        """,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    told, name = ran.stdout.splitlines()
    assert re.fullmatch(r"in the fork: the checkpointer belongs to process \d+, this is a fork of it", told)
    assert name == "step-00000003"
    assert steps(checkpoints) == [3, 1]


def test_a_fork_that_ends_in_the_usual_way_leaves_the_thread_alone(checkpoints: Path) -> None:
    ran = run_script(
        checkpoints,
        """
        with Checkpointer(checkpoints, keep_last=9, asynchronous=True) as checkpointer:
            checkpointer.save(1, model={"weight": weight})
            worker = os.fork()
        if worker:
            sys.exit(os.waitpid(worker, 0)[1])
        """,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert steps(checkpoints) == [1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_tensors_of_a_gpu_are_copied_through_pinned_memory(checkpoints: Path) -> None:
    weight = torch.ones(1 << 24, device="cuda")
    with Checkpointer(checkpoints, keep_last=9, asynchronous=True) as checkpointer:
        for step in (1, 2, 3):
            weight.fill_(step)
            checkpointer.save(step, model={"weight": weight}, state_tensors={"cpu": torch.tensor(step)})
            weight.fill_(-1)
    memory = checkpointer._free[-1]._memory
    assert memory is not None and memory.is_pinned()
    for summary in list_checkpoints(checkpoints).checkpoints:
        loaded = load(summary.path)
        assert bool((loaded.model["weight"] == summary.step).all())
        assert loaded.state_tensors["cpu"] == summary.step
