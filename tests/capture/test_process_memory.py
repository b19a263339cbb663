"""The memory of this process, as Linux tells it."""

from __future__ import annotations

import os
import sys

import pytest

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
