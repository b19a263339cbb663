"""The threads of a capture begin before the program goes on, outlive a lack of memory, and end when they are told."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from fittrace.capture.isolation import original_threads
from fittrace.capture.journal import background_threads
from fittrace.capture.journal.background_threads import BackgroundThreads


@pytest.fixture
def notes() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def definitions(notes: list[tuple[str, str]]) -> Any:
    def fault(where: str, error: BaseException) -> None:
        if isinstance(error, MemoryError):
            raise MemoryError
        notes.append((where, str(error)))

    return SimpleNamespace(fault=fault, fault_in_background=fault)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("odd")])
def test_a_thread_goes_on_after_a_fault(
    error: Exception, definitions: Any, notes: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_threads, "PERIOD_S", 0.001)
    collected, again = [], threading.Event()

    def collect() -> None:
        collected.append(1)
        if len(collected) < 3:
            raise error
        again.set()

    threads = BackgroundThreads(collect, lambda: None, definitions)
    threads.start_collecting()
    assert again.wait(10)
    threads.end()
    assert notes == ([] if isinstance(error, MemoryError) else [("collecting records", "odd")] * 2)


def test_a_thread_has_begun_when_it_was_started(definitions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def start_late(function: Any, arguments: tuple[Any, ...]) -> None:
        def late() -> None:
            threading.Event().wait(0.05)
            begun.append("begun")
            function(*arguments)

        original_threads_start(late, ())

    original_threads_start = original_threads.start_new_thread
    monkeypatch.setattr(original_threads, "start_new_thread", start_late)
    threads = BackgroundThreads(lambda: None, lambda: None, definitions)
    threads.start_writing()
    assert begun == ["begun"]
    threads.end()


def test_a_thread_without_memory_for_its_first_call_says_nothing(
    definitions: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_memory(self: BackgroundThreads) -> None:
        raise MemoryError

    monkeypatch.setattr(BackgroundThreads, "_write_until_over", no_memory)
    threads = BackgroundThreads(lambda: None, lambda: None, definitions)
    threads.start_writing()
    threads.end()
    assert capfd.readouterr().err == ""
