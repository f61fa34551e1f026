"""Ctrl-C while the event loops are being compiled."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest

from ccanalytics.compiled import COMPILES

pytestmark = pytest.mark.skipif(not COMPILES, reason="nothing is compiled here")


def _ours() -> dict[str, object]:
    return {"dispatcher": SimpleNamespace(__module__="ccanalytics.simulation.pool")}


def _compile(interrupts: int, reached: list[str]) -> None:
    from numba.core import event

    with event.trigger_event("numba:compile", data=_ours()):
        for _ in range(interrupts):
            os.kill(os.getpid(), signal.SIGINT)
        with event.trigger_event("numba:compile", data=_ours()):
            reached.append("inner")
        reached.append("outer")


def test_an_interrupt_waits_for_the_function_being_compiled_and_then_stops() -> None:
    before, reached = signal.getsignal(signal.SIGINT), list[str]()
    with pytest.raises(KeyboardInterrupt):
        _compile(1, reached)
    assert reached == ["inner"]
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_interrupt_does_not_wait() -> None:
    before, reached = signal.getsignal(signal.SIGINT), list[str]()
    with pytest.raises(KeyboardInterrupt):
        _compile(2, reached)
    assert reached == []
    assert signal.getsignal(signal.SIGINT) is before


def test_without_an_interrupt_the_handler_is_as_before() -> None:
    from numba.core import event

    before = signal.getsignal(signal.SIGINT)
    with event.trigger_event("numba:compile", data=_ours()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
