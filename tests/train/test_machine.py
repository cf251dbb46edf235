"""Device, precision and threads are chosen by measuring, said once, and taken over on a resume."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from codex.config.schema import Train
from codex.errors import DamageError, DeviceError
from codex.train import machine as module
from codex.train import train
from codex.train.machine import Machine, choose_machine
from tests.train.tiny import Settings

needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")


@needs_no_gpu
def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(settings: Settings) -> None:
    loaded = settings(**{"train.device": "cuda"})
    with pytest.raises(DeviceError, match="cuda") as error:
        train(loaded)
    assert error.value.exit_code == 5 and error.value.hint == "use `train.device=cpu`"
    assert not Path(loaded.config.run.directory).exists()


@needs_no_gpu
def test_a_run_of_a_gpu_goes_on_only_on_one() -> None:
    with pytest.raises(DeviceError):
        choose_machine(Train(), say=print, recorded=Machine("cuda", "bf16", 2, "a card"))


def _timed(monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
    """Pretend that a product takes `fp32`, `bf16` or `t<threads>` seconds."""

    def product_s(device: str, dtype: torch.dtype, threads: int, shape: tuple[int, int, int]) -> float:
        kind = "bf16" if dtype == torch.bfloat16 else f"t{threads}"
        return seconds.get(kind, seconds["fp32"])

    monkeypatch.setattr(module, "_product_s", product_s)
    monkeypatch.setattr(module, "_available_threads", lambda: 4)


@pytest.mark.parametrize(
    ("seconds", "threads", "precision"),
    [
        ({"fp32": 1.0, "t2": 0.5, "t4": 0.3, "bf16": 9.0}, 4, "fp32"),
        ({"fp32": 1.0, "t2": 0.5, "t4": 0.48, "bf16": 0.4}, 2, "bf16"),
        ({"fp32": 1.0, "t2": 0.95, "t4": 3.0, "bf16": 0.95}, 1, "fp32"),
    ],
)
def test_the_fastest_by_a_margin_is_taken_and_said_once(
    monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float], threads: int, precision: str
) -> None:
    _timed(monkeypatch, **seconds)
    said: list[str] = []
    machine = choose_machine(Train(device="cpu"), say=said.append)
    assert (machine.threads, machine.precision) == (threads, precision)
    assert len(said) == 2
    assert said[0].startswith(f"threads: {threads} of 4 (") and said[1].startswith(
        f"precision: {precision} ("
    )


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_product_s", None)
    said: list[str] = []
    machine = choose_machine(Train(device="cpu", precision="bf16", threads=3), say=said.append)
    assert (machine.device, machine.precision, machine.threads) == ("cpu", "bf16", 3)
    recorded = Machine("cpu", "bf16", 7, machine.capability)
    assert choose_machine(Train(device="cpu"), say=said.append, recorded=recorded) == recorded
    assert said == []


def test_another_processor_is_said() -> None:
    said: list[str] = []
    choose_machine(Train(device="cpu"), say=said.append, recorded=Machine("cpu", "fp32", 1, "cpu OTHER"))
    assert len(said) == 1 and "cpu OTHER" in said[0]


def test_measuring_leaves_the_threads_as_they_were() -> None:
    before = torch.get_num_threads()
    choose_machine(Train(device="cpu"), say=lambda line: None)
    assert torch.get_num_threads() == before


def test_the_settings_end_with_the_block() -> None:
    before = torch.get_num_threads()
    with Machine("cpu", "fp32", 3, "any").applied(deterministic=True):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"device":"cpu"}',
        '{"device":"cpu","precision":"fp32","threads":"2","capability":"x"}',
    ],
)
def test_a_record_that_is_something_else_is_damage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "machine.json"
    path.write_text(text)
    with pytest.raises(DamageError):
        Machine.read(path)


def test_a_record_reads_back(tmp_path: Path) -> None:
    machine = Machine("cpu", "fp32", 2, "cpu AVX2")
    path = tmp_path / "machine.json"
    path.write_text(json.dumps({"schema_version": 1, **machine.as_state()}))
    assert Machine.read(path) == machine
