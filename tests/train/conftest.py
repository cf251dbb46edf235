"""A corpus of a few kilobytes, a model of a few thousand weights, and runs of them in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from codex.config import LoadedConfig, load
from codex.train import Summary, train
from tests.train.nursery import Nursery
from tests.train.tiny import TINY, Settings, write_corpus


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "text"
    write_corpus(folder)
    return folder


@pytest.fixture
def settings(corpus: Path, tmp_path: Path) -> Settings:
    """`settings(**{"train.max_steps": 8})`: the tiny run with some keys changed, in this test's own folder."""

    def make(where: str = "runs", **changes: object) -> LoadedConfig:
        keys = TINY | {"data.paths": f"[{corpus}]", "run.directory": str(tmp_path / where)}
        return load("base", [f"{key}={value}" for key, value in {**keys, **changes}.items()])

    return make


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """One for all tests: it takes seconds to start."""
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _torch_as_it_was() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def whole(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """The tiny run, unbroken: what every broken one must equal."""
    keys = TINY | {"data.paths": f"[{corpus}]", "run.directory": str(tmp_path_factory.mktemp("whole"))}
    return train(load("base", [f"{key}={value}" for key, value in keys.items()]))
