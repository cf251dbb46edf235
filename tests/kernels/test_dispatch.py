"""One place chooses, and says once what it chose."""

from __future__ import annotations

import logging

import pytest
import torch

from codex.kernels import dispatch


def test_a_choice_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    dispatch._say_once.cache_clear()
    q = torch.zeros(1, 2, 1, 4)
    with caplog.at_level(logging.INFO, logger="codex.kernels"):
        for _ in range(3):
            dispatch.attend(q, q, q)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["attention"]


def test_the_reference_can_be_asked_for_and_ends_with_the_block() -> None:
    before = {name: dispatch.choose(name).name for name in ("attention", "loss")}
    with dispatch.reference():
        assert {dispatch.choose(name).name for name in before} == {"reference"}
    assert (
        {name: dispatch.choose(name).name for name in before}
        == before
        == {"attention": "torch", "loss": "chunked"}
    )
