"""An exception that comes up in fittrace's code is told from a fault of that code."""

from __future__ import annotations

import ctypes
import json
import queue
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fittrace.capture.isolation import interruptions
from fittrace.capture.isolation.interruptions import is_programs, leave_out
from fittrace.capture.record import kept_values
from fittrace.schema.batches_to_sample import parse

from .test_exception_text import HostileError


class Late(Exception):
    pass


@pytest.fixture
def alarmed() -> Iterator[Callable[[Any], None]]:
    """`alarmed(handler)`: a signal that this handles has come."""
    before = signal.getsignal(signal.SIGUSR1)

    def strike(handler: Any) -> None:
        signal.signal(signal.SIGUSR1, handler)
        signal.raise_signal(signal.SIGUSR1)

    yield strike
    signal.signal(signal.SIGUSR1, before)


def raised(work: Callable[[], Any]) -> BaseException:
    """What `work` raises."""
    with pytest.raises(BaseException) as caught:
        work()
    # From here on only the frames of what was called; those of this test are not fittrace's.
    caught.value.__traceback__ = caught.value.__traceback__.tb_next  # type: ignore[union-attr]
    return caught.value


def plainly(number: int, frame: types.FrameType) -> None:
    raise Late


def looking_around(number: int, frame: Any) -> None:
    while frame is not None:
        frame = frame.f_back
    raise ValueError("why")


def with_all(*given: Any) -> None:
    raise OSError(5, "why")


class Called:
    def __call__(self, number: int, frame: Any) -> None:
        raise KeyError("deep")


def gone(number: int, frame: Any) -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    raise RuntimeError("dictionary changed size during iteration")


HANDLERS = [plainly, looking_around, with_all, Called(), gone]


@pytest.mark.parametrize("handler", HANDLERS)
def test_what_a_handler_raises_is_the_programs(alarmed: Callable[[Any], None], handler: Any) -> None:
    assert is_programs(raised(lambda: alarmed(handler)))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_so_is_what_no_except_exception_catches(error: BaseException) -> None:
    assert is_programs(error)


def test_so_is_what_a_trace_function_raises() -> None:
    def tracer(frame: Any, event: str, argument: object) -> None:
        raise Late

    def traced() -> None:
        sys.settrace(tracer)
        kept_values.text(3)

    before = sys.gettrace()
    try:
        assert is_programs(raised(traced))
    finally:
        sys.settrace(before)


def asynchronous(kind: type, turn: Callable[[], Any]) -> BaseException:
    """What comes out of a thread that does `turn` again and again, when it is told to raise such an exception."""
    found: list[BaseException] = []
    turns = threading.Event()

    def work() -> None:
        try:
            while True:
                turns.set()
                turn()
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    turns.wait()
    while thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind))
        thread.join(0.01)
    return found[0]


def describing() -> None:
    for _ in range(200):
        kept_values.text({"key": [1, [2, (3, None)]]})


def came_up_in_fittrace(kind: type, turn: Callable[[], Any]) -> BaseException:
    """The same, when it came up in code of fittrace's."""
    while True:
        error = asynchronous(kind, turn)
        deepest = error.__traceback__
        while deepest is not None and deepest.tb_next is not None:
            deepest = deepest.tb_next
        if deepest is not None and deepest.tb_frame.f_code.co_filename.startswith(interruptions._GUESTS):
            return error


def sampling() -> None:
    for batch in range(200):
        parse("first=3").wants(3, 0, batch, batch)


@pytest.mark.parametrize("kind", [Late, TimeoutError])
@pytest.mark.parametrize("turn", [describing, sampling])
def test_so_is_what_another_thread_raises(kind: type, turn: Callable[[], Any]) -> None:
    assert is_programs(came_up_in_fittrace(kind, turn))


FAULTS: list[Callable[[], Any]] = [
    lambda: kept_values.text([1], depth="deep"),  # type: ignore[arg-type]
    lambda: kept_values.of_halves("low", 0),  # type: ignore[arg-type]
    lambda: json.loads("{"),
    lambda: queue.Queue(1).get_nowait(),
    lambda: next(iter(())),
    lambda: int("no number"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_code_itself_raises_is_a_fault(fault: Callable[[], Any]) -> None:
    assert not is_programs(raised(fault))


@pytest.mark.parametrize("kind", [ValueError, MemoryError, HostileError, Late])
def test_what_was_not_raised_anywhere_is_a_fault(kind: type[Exception]) -> None:
    assert not is_programs(kind("why"))


def test_what_is_called_and_raises_is_a_fault() -> None:
    def programs_own() -> None:
        raise Late

    assert not is_programs(raised(programs_own))


def test_a_traceback_is_as_it_would_be() -> None:
    error = raised(lambda: kept_values.text([1], depth="deep"))  # type: ignore[arg-type]
    assert error.__traceback__ is not None and error.__traceback__.tb_next is not None
    leave_out(error.__traceback__)
    assert error.__traceback__.tb_next is None
