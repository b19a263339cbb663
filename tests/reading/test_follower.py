"""Following a journal while it grows gives the sums of the finished tables."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from crash.rows import Tables, derive
from crash.streams import Program, Shape, blocks_of, drains

from fittrace.schema.tables import BATCH_PHASES
from fittrace.store.journal.blocks import BlockReader, Damage
from fittrace.store.live import running_totals
from fittrace.store.live.fit_totals import OTHER, FitTotals
from fittrace.store.live.run_follower import RunFollower

Sums = dict[str, Counter[Any]]
"""By the name of a sum: its parts."""


NAMES = ("batches", "batch_ns", "phase_ns", "hook_ns", "hook_calls", "epochs", "ends")


def sums_of(fits: dict[int, FitTotals]) -> Sums:
    sums: Sums = {
        name: Counter() for name in ("batches", "batch_ns", "phase_ns", "hook_ns", "hook_calls", "epochs", "ends")
    }
    for fit in fits.values():
        for name in ("batches", "batch_ns", "phase_ns", "hook_ns", "hook_calls"):
            for key, number in getattr(fit, name).items():
                sums[name][fit.number, key] += number
        sums["epochs"][fit.number] += fit.epochs
        sums["ends"][fit.number, fit.status] += 1
    return {name: +counter for name, counter in sums.items()}


def expected(tables: Tables) -> Sums:
    sums: Sums = {
        name: Counter() for name in ("batches", "batch_ns", "phase_ns", "hook_ns", "hook_calls", "epochs", "ends")
    }
    for row in tables["batches"]:
        sums["batches"][row["fit"], row["stage"]] += 1
        sums["batch_ns"][row["fit"], row["stage"]] += row["duration_ns"]
        for phase in BATCH_PHASES:
            sums["phase_ns"][row["fit"], (row["stage"], phase)] += row[f"{phase}_ns"]
        other = row["duration_ns"] - sum(row[f"{phase}_ns"] for phase in BATCH_PHASES)
        sums["phase_ns"][row["fit"], (row["stage"], OTHER)] += other
    for row in tables["spans"]:
        if row["callback"] is not None and row["hook"] is not None:
            sums["hook_ns"][row["fit"], (row["callback"], row["hook"])] += row["duration_ns"]
            sums["hook_calls"][row["fit"], (row["callback"], row["hook"])] += 1
        sums["epochs"][row["fit"]] += row["phase"] == "epoch"
    for row in tables["fits"]:
        sums["ends"][row["fit"], row["status"]] += 1
    return {name: +counter for name, counter in sums.items()}


def program_of(seed: int) -> Program:
    random = Random(seed)
    # No other threads: which fit a hook of theirs belongs to may depend on how the windows are cut.
    return Program(random, Shape(worker=False, nesting=random.choice((0, 1))), longest=400).run()


@pytest.mark.parametrize("seed", range(12))
def test_a_growing_journal_has_the_sums_of_the_finished_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(running_totals, "FITS_KEPT", 1000)
    program, random = program_of(seed), Random(seed)
    data = b"".join(blocks_of(program, drains(random, program, 12)))
    (tmp_path / "journal").mkdir()
    path = tmp_path / "journal" / "1-1-1.journal"
    follower = RunFollower(tmp_path)
    # Most pieces end in the middle of a block, some in the middle of a header.
    ends = [*sorted(random.sample(range(len(data)), 25)), len(data)]
    for begin, end in zip([0, *ends], ends):
        with path.open("ab") as file:
            file.write(data[begin:end])
        assert follower.read(budget_s=60)
    follower.finish()
    (process,) = follower.processes
    found = sums_of(process.totals.fits)
    assert found == expected(derive(path))
    assert found["ends"]


def test_each_block_is_read_once_however_the_journal_grows() -> None:
    program, random = program_of(3), Random(3)
    data = b"".join(blocks_of(program, drains(random, program, 12)))
    whole = list(BlockReader(Damage()).blocks(io.BytesIO(data)))
    journal, damage = io.BytesIO(), Damage()
    reader = BlockReader(damage)
    found: list[tuple[int, bytes]] = []
    for begin in range(0, len(data), 37):
        journal.seek(0, io.SEEK_END)
        journal.write(data[begin : begin + 37])
        if begin:  # before, there is no whole `MAGIC`
            found += reader.blocks(journal)
    assert found == whole
    assert (damage.altered, damage.unfinished) == (0, 0)
