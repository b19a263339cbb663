"""The rows that the store derives, window by window with arrays, are those of a plain reading of the stream."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fittrace.store.journal import reader as store_journal

from .reference import Reference
from .rows import canonical, derive, difference
from .streams import Program, Shape, blocks_of, drains

ROUNDS = 150


def expected(program: Program) -> dict[str, Any]:
    threads = [[record for one, record in program.records if one == thread] for thread in range(len(program.threads))]
    return canonical(Reference(program.definitions, threads).tables())


def derived(path: Path, program: Program, random: Random, cuts: int) -> dict[str, Any]:
    path.write_bytes(b"".join(blocks_of(program, drains(random, program, cuts))))
    return canonical(derive(path))


def program_of(seed: int, longest: int = 400) -> Program:
    random = Random(seed)
    shape = Shape(worker=random.random() < 0.4, nesting=random.choice((0, 1, 2)), failing=random.choice((0.0, 0.03)))
    return Program(random, shape, threads=random.choice((1, 1, 2)), longest=random.randint(1, longest)).run()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_rows_are_those_of_a_plain_reading(tmp_path: Path, seed: int) -> None:
    program = program_of(seed)
    found = derived(tmp_path / "1-1.journal", program, Random(seed), cuts=1)
    assert not difference(expected(program), found)


def no_late(tables: dict[str, Any]) -> dict[str, Any]:
    """Without the logs of batches: those from another thread may come too late for a window of this test's size."""
    batches: Counter[Any] = Counter()
    for row, count in tables["batches"].items():
        batches[tuple(pair for pair in row if not pair[0].startswith("logs."))] += count
    return {**tables, "batches": batches}


@pytest.mark.parametrize("window", [0, 7, 60])
@pytest.mark.parametrize("seed", range(0, ROUNDS, 3))
def test_rows_do_not_depend_on_chunks_and_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, window: int
) -> None:
    monkeypatch.setattr(store_journal, "WINDOW", window)
    program = program_of(seed)
    random = Random(seed + window)
    found = derived(tmp_path / "1-1.journal", program, random, cuts=random.choice((2, 5, 30)))
    wanted = expected(program)
    if program.shape.worker:
        wanted, found = no_late(wanted), no_late(found)
    assert not difference(wanted, found)
