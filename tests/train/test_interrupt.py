"""Signals: noted inside a block, at once outside it, and given back afterwards."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from codex.train.interrupt import Stopped, StopSignals

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_is_noted_and_the_second_ends_at_once(number: int) -> None:
    said: list[str] = []
    with StopSignals(said.append) as signals, signals.deferred():
        assert signals.noted is None
        os.kill(os.getpid(), number)
        assert signals.noted == number and len(said) == 1
        with pytest.raises(Stopped) as stop:
            os.kill(os.getpid(), number)
    assert stop.value.signal_number == number and len(said) == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_outside_the_block_it_ends_at_once(number: int) -> None:
    with StopSignals(print) as signals:
        with signals.deferred():
            pass
        with pytest.raises(Stopped):
            os.kill(os.getpid(), number)


def test_a_save_is_asked_for_once_and_stops_nothing() -> None:
    said: list[str] = []
    with StopSignals(said.append) as signals:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert not signals.take_save() and "no step to save yet" in said[0]
        with signals.deferred():
            os.kill(os.getpid(), signal.SIGUSR1)
            assert signals.noted is None and "finishing this step and saving" in said[1]
            assert signals.take_save() and not signals.take_save()


def test_no_except_exception_holds_it_up() -> None:
    assert not issubclass(Stopped, Exception)


def test_the_handlers_are_given_back() -> None:
    taken = [*SIGNALS, signal.SIGUSR1]
    before = [signal.getsignal(number) for number in taken]
    with StopSignals(print):
        assert all(signal.getsignal(number) != old for number, old in zip(taken, before, strict=True))
    assert [signal.getsignal(number) for number in taken] == before


def test_it_works_in_a_thread_that_gets_no_signals() -> None:
    seen: list[int | None] = []

    def work() -> None:
        with StopSignals(print) as signals, signals.deferred():
            seen.append(signals.noted)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None]
