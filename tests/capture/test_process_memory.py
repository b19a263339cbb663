"""The memory of this process, as Linux tells it."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from fittrace.capture.record import process_memory
from fittrace.capture.record.process_memory import READER, limit
from fittrace.schema.memory_keys import BLOCKS, LIMIT, RESIDENT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its memory")


def test_what_is_in_memory_grows_with_what_is_written() -> None:
    before = READER.around_hooks()[RESIDENT]
    held = b"x" * 50_000_000
    after = READER.around_hooks()[RESIDENT]
    assert 45_000_000 < after - before < 60_000_000
    del held


def test_a_fit_has_blocks_and_a_limit_too() -> None:
    read = READER.around_fits()
    assert set(read) == {RESIDENT, BLOCKS, LIMIT}
    assert 0 < read[BLOCKS] < 100_000_000
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert read[RESIDENT] < read[LIMIT] == limit() <= machine


def test_no_descriptor_stays_open() -> None:
    before = os.listdir("/proc/self/fd")
    READER.around_fits()
    assert os.listdir("/proc/self/fd") == before


def test_an_interruption_while_the_limit_is_read_is_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(number: int, frame: object) -> None:
        raise TimeoutError

    def interrupted(file: str) -> bytes:
        if "cgroup" in file:
            signal.raise_signal(signal.SIGALRM)
        return b"MemTotal:  24576000 kB"

    monkeypatch.setattr(process_memory, "_read", interrupted)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError):
            limit()
    finally:
        signal.signal(signal.SIGALRM, before)
