"""What is left after load shedding is what would have been recorded, without what is too much."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from fittrace.capture.journal.load_shedder import Keep, StandIns
from fittrace.capture.journal.pybuffer import Buffer
from fittrace.capture.journal.thread_buffers import Thread
from fittrace.capture.sites import Site

from .reference import Reference, Span
from .rows import Tables, canonical, derive, difference
from .streams import CLOSERS, Program, Record, Shape, blocks_of, drains

SUMS = {"slice_ns", "to_dense_ns", "function_ns", "logs_ns", "hooks_ns", "children_ns"}
"""Columns that tell of other rows, which may be left out."""


def program_of(seed: int, running_out: float = 0.1) -> Program:
    """A program that runs to its end: what is unfinished ends with the last record, which may be left out."""
    shape = Shape(worker=False, failing=0.02, fits=1, nesting=1, running_out=running_out)
    return Program(Random(seed), shape, longest=100_000).run()


def thinned(program: Program, pieces: list[dict[int, list[Record]]], levels: list[Keep]) -> tuple[list[Any], list[int]]:
    """The pieces as the collector would write them at these levels, and how much of each level was left out."""
    facts = [one for one in program.definitions if one["define"] == "site"]
    fields = ("kind", "file", "function", "line", "engine", "depth", "phases", "level")
    sites = [Site(number=one["site"], **{key: one[key] for key in fields if key in one}) for one in facts]
    stand_ins = StandIns(sites[1 : 1 + CLOSERS], sites[1 + CLOSERS])
    threads = [Thread(number, Buffer()) for number in range(len(program.threads))]
    total = [0, 0, 0, 0]
    kept_pieces = []
    for piece, level in zip(pieces, levels, strict=True):
        kept_piece = {}
        for thread, records in piece.items():
            flat = [item for record in records for item in record]
            kept, dropped = threads[thread].shed(flat, sites, stand_ins, level)
            total = [one + other for one, other in zip(total, dropped or [0, 0, 0, 0], strict=True)]
            if kept:
                kept_piece[thread] = [tuple(kept)]
        kept_pieces.append(kept_piece)
    return kept_pieces, total


def rows(path: Path, program: Program, pieces: list[Any]) -> Tables:
    path.write_bytes(b"".join(blocks_of(program, pieces)))
    return derive(path)


def reference(program: Program, level: Keep = Keep.ALL) -> Reference:
    threads = [[record for one, record in program.records if one == thread] for thread in range(len(program.threads))]
    return Reference(program.definitions, threads, level)


@pytest.mark.parametrize("level", Keep)
@pytest.mark.parametrize("seed", range(40))
def test_rows_are_those_of_the_levels_kept(tmp_path: Path, seed: int, level: Keep) -> None:
    program = program_of(seed)
    pieces = drains(Random(seed), program, 5)
    found = rows(tmp_path / "1-1.journal", program, thinned(program, pieces, [level] * 5)[0])
    # Without the function in it, nobody knows that the data ran out in a turn.
    whole = reference(program, level)

    def is_kept(span: Span) -> bool:
        frame = span.frame
        if frame.entered["level"] > level:
            return False
        above, one = [], span.parent
        while one is not None and one.frame is frame:
            above.append(one)
            one = one.parent
        hook = span.site["kind"] == "hook"
        return hook or all(one.site["level"] <= level for one in [*above, span] if one is not frame.container)

    whole.without(is_kept)
    assert not difference(canonical(whole.tables()), canonical(found))


def identified(tables: Tables) -> dict[str, set[Any]]:
    """Rows without what refers to others. Nor are the logs of batches compared, which are lost with their hooks."""
    found = {}
    for table in ("spans", "batches"):
        others = {"span", "parent", "fit"} | SUMS | {key for row in tables[table] for key in row if key[:5] == "logs."}
        found[table] = {tuple(sorted((k, v) for k, v in row.items() if k not in others)) for row in tables[table]}
    found["fits"] = {(row["thread"], row["start_ns"], row["duration_ns"], row["status"]) for row in tables["fits"]}
    return found


@pytest.mark.parametrize("seed", range(80))
def test_rows_are_right_while_the_level_changes(tmp_path: Path, seed: int) -> None:
    # Whether the data ran out in a turn is not known where its function is left out.
    program, random = program_of(seed, running_out=0), Random(seed)
    pieces = drains(random, program, 12)
    levels = [random.choice((Keep.ALL, Keep.ALL, Keep.BATCHES, Keep.EPOCHS)) for _ in pieces]
    whole = identified(rows(tmp_path / "1-1.journal", program, pieces))
    kept, _ = thinned(program, pieces, levels)
    found = identified(rows(tmp_path / "2-1.journal", program, kept))
    for table, some in found.items():
        assert some <= whole[table], table
    assert found["fits"] == whole["fits"]
    epochs = [{row for row in one["spans"] if dict(row)["phase"] == "epoch"} for one in (found, whole)]
    assert epochs[0] == epochs[1]


def test_all_is_kept_again_once_what_was_cut_is_over() -> None:
    program = Program(Random(3), Shape(worker=False, fits=6, failing=0), longest=10_000).run()
    pieces = drains(Random(3), program, 40)
    levels = [Keep.ALL] * 10 + [Keep.EPOCHS] * 10 + [Keep.ALL] * 20
    kept, dropped = thinned(program, pieces, levels)
    flat = [[item for record in piece.get(0, []) for item in record] for piece in pieces]
    assert dropped[Keep.BATCHES]
    assert dropped[Keep.ALL]
    assert [list(piece.get(0, [()])[0]) for piece in kept][-10:] == flat[-10:]
