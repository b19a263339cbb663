"""Damaged journals give the rows that can still be read, each as it was, and never an error that is none of ours."""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

import fittrace
from fittrace.schema import run_facts as schema_run
from fittrace.schema.journal_format import ABSENT, EVENTS_HEAD, HEADER, MAGIC, MARKER, BlockKind, block
from fittrace.store.open_runs import convert_run
from fittrace.tables.computed_tables import VIEWS

from .rows import Row, Tables, derive
from .streams import FACTS_OF, Program, Shape, blocks_of, chunk, define, drains

CALLER = ("caller_file", "caller_line", "caller_function")
"""What is in a record of its own, which may be lost alone."""
LOST = ("(lost)", "thread ", "unknown")
REFERS = {"fit", "span", "parent", "parent_fit", "parent_span", "at_span"}
"""Numbers that count rows, and change where one is missing."""
STOOD = {"at_stage", "at_epoch", "at_batch", "at_phase", "at_callback", "at_hook"}
ENDS = {"duration_ns", "children_ns", "status", "epochs", "batches", "error", "self_ns", *STOOD}
"""What is not known yet of what is unfinished. Its logs may be missing too."""


def journal_of(seed: int, pieces: int = 8, **shape: Any) -> list[bytes]:
    # Whether the data ran out in a turn is not known where a definition of what it did is lost.
    facts = {"worker": False, "late": False, "fits": 3, "failing": 0.01, "running_out": 0, **shape}
    program = Program(Random(seed), Shape(**facts), longest=600).run()
    return blocks_of(program, drains(Random(seed), program, pieces), closed=True)


def facts_of(table: str, row: Row, partly: bool, fetching: bool) -> frozenset[Any]:
    """What must be as it was of a row: all but its end, where it is unfinished, and its batch, where that is not known
    before its data are there."""
    left_out = REFERS | set(CALLER) | (ENDS if partly else set()) | ({"batch"} if fetching else set())
    if table == "batches" and partly:
        left_out = left_out | {key for key in row if key.endswith("_ns") and key != "start_ns"}
    return frozenset((key, str(value)) for key, value in row.items() if key not in left_out and key[:5] != "logs.")


def bag(table: str, rows: list[Row], partly: bool, fetching: bool) -> Counter[Any]:
    return Counter(facts_of(table, row, partly, fetching) for row in rows)


def wrong_rows(found: Tables, whole: Tables) -> list[str]:
    """The rows of `found` that are none of `whole`. What has lost its name says so, and is not compared."""
    known = {row["start_ns"] for row in whole["spans"]}
    wrong = [str(row) for row in found["spans"] if row["start_ns"] not in known]
    for table in ("fits", "spans", "batches", "logs"):
        for partly in (False, True):
            for fetching in (False, True):
                rows = [
                    row
                    for row in found[table]
                    if (row.get("status") == "unfinished") == partly
                    and (row.get("batch", 0) is None) == fetching
                    and not says_lost(row)
                ]
                left = bag(table, rows, partly, fetching) - bag(table, whole[table], partly, fetching)
                wrong += [f"{table}: {sorted(row)}" for row in left]
    called = {(row["start_ns"], *map(row.get, CALLER)) for row in whole["fits"]}
    for row in found["fits"]:
        caller = (row["start_ns"], *map(row.get, CALLER))
        if row["caller_file"] is not None and not says_lost(row) and caller not in called:
            wrong.append(f"caller of {row}")
    for table in ("samples", "stops"):
        told = Counter(told_of(row) for row in found[table] if not says_lost(row))
        wrong += [f"{table}: {row}" for row in told - Counter(map(told_of, whole[table]))]
    logs = {key for row in whole["batches"] for key in row if key[:5] == "logs."}
    logged = {(row["start_ns"], key, str(row.get(key))) for row in whole["batches"] for key in logs}
    for row in found["batches"]:
        values = {key: row[key] for key in logs if row.get(key) is not None}
        wrong += [
            f"{key} of {row}" for key, value in values.items() if (row["start_ns"], key, str(value)) not in logged
        ]
    return wrong


def told_of(row: Row) -> frozenset[Any]:
    return frozenset((key, str(value)) for key, value in row.items() if key not in REFERS)


def says_lost(row: Row) -> bool:
    """Whether a row says itself that something of it is lost."""
    return row.get("sample", 0) is None or any(str(value).startswith(LOST) for value in row.values())


def read(path: Path, data: bytes) -> Tables:
    path.write_bytes(data)
    return derive(path)


@pytest.mark.slow
def test_cut_at_every_byte(tmp_path: Path) -> None:
    data = b"".join(journal_of(5, epochs=1, batches=2, statements=1, nesting=0))
    whole = read(tmp_path / "1-1.journal", data)
    assert len(whole["spans"]) > 20
    rows = 0
    for length in range(len(data)):
        found = read(tmp_path / "2-1.journal", data[:length])
        assert not wrong_rows(found, whole), length
        rows = max(rows, len(found["spans"]))
    assert rows == len(whole["spans"])


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bits(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    data = b"".join(journal_of(seed % 5))
    whole = read(tmp_path / "1-1.journal", data)
    for _ in range(15):
        damaged = bytearray(data)
        for _ in range(random.choice((1, 1, 3, 20))):
            damaged[random.randrange(len(data))] ^= 1 << random.randrange(8)
        assert not wrong_rows(read(tmp_path / "2-1.journal", bytes(damaged)), whole)


@pytest.mark.parametrize("seed", range(40))
def test_blocks_lost_doubled_and_shuffled(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    blocks = journal_of(seed, pieces=random.choice((8, 40)), worker=seed % 4 == 0)
    # Definitions in several blocks, each of which can be lost.
    lines = blocks[2][HEADER.size :].splitlines()
    blocks[2:3] = [define(*map(json.loads, lines[at : at + 7])) for at in range(0, len(lines), 7)]
    whole = read(tmp_path / "1-1.journal", b"".join(blocks))
    for _ in range(12):
        damaged = list(blocks)
        for _ in range(random.choice((1, 1, 2, 6))):
            at, to = random.randrange(1, len(damaged)), random.randrange(1, len(damaged))
            how = random.random()
            if how < 0.5:
                del damaged[at]
            elif how < 0.7:
                damaged.insert(to, damaged[at])
            elif how < 0.85:
                damaged[at], damaged[to] = damaged[to], damaged[at]
            else:
                damaged[at] = random.randbytes(random.randrange(60)) + damaged[at][: random.randrange(len(damaged[at]))]
        assert not wrong_rows(read(tmp_path / "2-1.journal", b"".join(damaged)), whole)


def test_after_a_lost_block_only_whole_fits_come_back(tmp_path: Path) -> None:
    blocks = journal_of(2, pieces=30)
    events = [
        place
        for place, one in enumerate(blocks)
        if one[len(MARKER)] in (BlockKind.EVENTS, BlockKind.PACKED) and one[:4] == MARKER
    ]
    whole = read(tmp_path / "1-1.journal", b"".join(blocks))
    seen = set()
    for place in events:
        found = read(tmp_path / "2-1.journal", b"".join(blocks[:place] + blocks[place + 1 :]))
        assert not wrong_rows(found, whole)
        seen.add(len(found["fits"]))
        assert "unfinished" in {row["status"] for row in found["fits"]} or len(found["fits"]) < len(whole["fits"])
    assert len(seen) > 1


# What comes with its checksum right and is not to be trusted all the same.


def site(**facts: Any) -> bytes:
    told = {"define": "site", "site": 0, "kind": "call", "phases": ["fit"], "names": ["f"], "stage": "train",
            "file": "f", "function": "f", "line": 1, "engine": "e"}  # fmt: skip
    told.update(facts)
    return define({**told, "root": told["stage"] is not None})


def events(*numbers: int, thread: int = 0, number: int = 0) -> bytes:
    return chunk(thread, number, [numbers])


HUGE = 1 << 62
NASTY = "\x1b[31m<script>alert(1)</script>'; DROP TABLE fits; --\n\x00\ud800\u202e" + "x" * 10_000
OPEN_FIT = site() + events(-1, 5)

HOSTILE = {
    "a bomb": block(BlockKind.EVENTS, EVENTS_HEAD.pack(0, 0) + zlib.compress(bytes(300 << 20), 9)),
    "no zlib": block(BlockKind.EVENTS, EVENTS_HEAD.pack(0, 0) + b"nothing"),
    "a short head": block(BlockKind.EVENTS, b"\x00"),
    "half a number": block(BlockKind.EVENTS, EVENTS_HEAD.pack(0, 0) + zlib.compress(b"12345")),
    "a number without an end": block(BlockKind.PACKED, EVENTS_HEAD.pack(0, 0) + b"\xff" * 1000),
    "a number too wide": block(BlockKind.PACKED, EVENTS_HEAD.pack(0, 0) + b"\xff" * 1000 + b"\x00"),
    "packed numbers too many": block(BlockKind.PACKED, EVENTS_HEAD.pack(0, 0) + bytes((32 << 20) + 1)),
    "moments beyond": site()
    + block(BlockKind.PACKED, EVENTS_HEAD.pack(0, 0) + b"\x00" + (b"\xfe" + b"\xff" * 8 + b"\x01") * 9),
    "nothing packed": block(BlockKind.PACKED, EVENTS_HEAD.pack(0, 0)) + site() + events(-1, 5, number=1),
    "a huge length": HEADER.pack(MARKER, BlockKind.EVENTS, (1 << 28) - 1, 0) + OPEN_FIT,
    "a larger length": HEADER.pack(MARKER, BlockKind.EVENTS, (1 << 32) - 1, 0) + OPEN_FIT,
    "markers alone": MARKER * 1000,
    "the last chunk first": site() + events(-1, 5, number=(1 << 64) - 1) + events(-1, 7),
    "the last thread": site() + events(-1, 5, thread=(1 << 32) - 1),
    "sites that are none": site() + events(-(1 << 63), 5, -9, 4, -1, 5),
    "operands alone": site() + events(1, 2, 3),
    "times beyond": site() + events(-1, HUGE * 2 - 1) + events(-1, 0, number=1),
    "deep frames": site() + events(*[-1, 5] * 10_000),
    "leaves alone": site(kind="leave", phases=[], names=[], stage=None) + events(*[-1, 5] * 100),
    "deep JSON": block(BlockKind.DEFINE, b"[" * 100_000) + OPEN_FIT,
    "not UTF-8": block(BlockKind.DEFINE, b'{"define": "text", "text": 0, "value": "\xff\xfe"}') + OPEN_FIT,
    "not JSON": block(BlockKind.DEFINE, b"{'define'}\n\nnull\n7\n[]\n{}\n") + OPEN_FIT,
    "another kind of block": block(99, b"what?") + OPEN_FIT,
    "no facts": block(BlockKind.FACTS, b"[]") + OPEN_FIT,
    "turns of nothing": site() + site(site=1, kind="turn", depth=9, phases=[], names=[], counts="batch", stage=None)
    + events(-1, 5, -2, 6, 1, 1, -2, 7, 2, 2),
    "closes of nothing": site() + site(site=1, kind="close", depth=40, phases=[], names=[]) + events(-1, 5, -2, 6),
    "opens high up": site() + site(site=1, kind="open", depth=33, phases=["batch", "slice"], names=["b", "s"])
    + events(-1, 5, -2, 6, -2, 7),
    "a state of nothing": site() + site(site=1, kind="state", phases=[], names=[])
    + events(-1, 5, -2, HUGE, 1, 2, -2, 0),
    "sizes of anything": site() + site(site=1, kind="sizes", phases=[], names=[])
    + site(site=2, kind="turn", depth=1, phases=["batch"], names=["b"], counts="batch")
    + events(-1, 5, -2, HUGE, HUGE, HUGE, 0, -3, 6, HUGE, 0),
    "a hook of no class": site() + site(site=1, kind="hooks", phases=["hooks"], hook="on_train_begin")
    + site(site=2, kind="hook", depth=1, phases=["hooks"], hook="on_train_begin")
    + events(-1, 5, -2, 6, 7, ABSENT, -3, 8, 9, HUGE),
}  # fmt: skip
SENSELESS: list[Any] = [
    -1,
    HUGE * 4,
    10**30,
    1.5,
    True,
    None,
    "x",
    NASTY,
    [],
    [[]],
    {},
    {"a": 1},
    ["fit", "fit", "fit"],
    [7],
    ["?"],
]


def make_run(run: Path, data: bytes) -> None:
    """Make a run whose only journal holds `data`."""
    (run / "journal").mkdir(parents=True)
    schema_run.new(str(run), run.name, ["x"], "python", "0")
    (run / "journal" / "1700000000000000000-5-11.journal").write_bytes(data)


def trace_of(folder: Path, data: bytes) -> fittrace.Trace:
    """The trace of a run in `folder` whose only journal holds `data`."""
    make_run(folder / "run", data)
    return fittrace.open(folder / "run")


def trace_of_each(folder: Path, journals: list[bytes]) -> fittrace.Trace:
    """The trace of a folder with a run for each of `journals`, called 0, 1 and so on: to open it once is quicker."""
    for number, data in enumerate(journals):
        make_run(folder / str(number), data)
    return fittrace.open(folder)


def read_all(trace: fittrace.Trace) -> dict[str, int]:
    """How many rows each table has."""
    return {table: len(getattr(trace, table)()) for table in VIEWS}


def rows_of_each(trace: fittrace.Trace, table: str) -> list[int]:
    """How many rows of a table each run has, in the order of the numbers that they are called by."""
    counts = Counter(getattr(trace, table)()["run"].astype(str))
    return [counts[str(number)] for number in range(len(trace.runs))]


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_blocks(tmp_path: Path, what: str) -> None:
    data = MAGIC + block(BlockKind.FACTS, json.dumps(FACTS_OF).encode()) + HOSTILE[what]
    rows = read_all(trace_of(tmp_path, data))
    assert rows["processes"] == 1
    assert rows["fits"] == 1 if data.endswith(OPEN_FIT) else rows["fits"] < 9


@pytest.mark.parametrize("key", [*json.loads(site()[HEADER.size :]), "depth", "counts", "hook"])
def test_senseless_sites(tmp_path: Path, key: str) -> None:
    facts = MAGIC + block(BlockKind.FACTS, json.dumps(FACTS_OF).encode())
    sites = [site(**{key: value}) + site(site=1, **({key: value} if key != "site" else {})) for value in SENSELESS]
    trace = trace_of_each(tmp_path, [facts + defined + events(-1, 5, -2, 6) for defined in sites])
    read_all(trace)
    assert rows_of_each(trace, "processes") == [1] * len(SENSELESS)


@pytest.mark.parametrize("key", FACTS_OF)
def test_senseless_facts(tmp_path: Path, key: str) -> None:
    facts = [block(BlockKind.FACTS, json.dumps({**FACTS_OF, key: value}).encode()) for value in SENSELESS]
    trace = trace_of_each(tmp_path, [MAGIC + told + OPEN_FIT for told in facts])
    read_all(trace)
    assert rows_of_each(trace, "fits") == [1] * len(SENSELESS)
    if key not in ("time_ns", "clock_ns"):
        assert set(trace.fits()["start_ns"]) <= {1_700_000_000_000_000_000, 1_699_999_999_999_000_005}


@pytest.mark.parametrize(
    "definition",
    [
        {"define": "thread", "thread": 0, "name": NASTY},
        {"define": "text", "text": 0, "value": NASTY},
        {"define": "keys", "keys": 0, "names": [NASTY, NASTY], "kinds": "nt"},
        {"define": "keys", "keys": 0, "names": ["a"], "kinds": "nn"},
        {"define": "class", "class": 0, "name": NASTY, "module": NASTY},
        {"define": "engine", "engine": "e", "version": NASTY},
        {"define": "note", "kind": NASTY, "message": NASTY},
        {"define": "dropped", "detail": 10**30, "batches": -1},
        {"define": NASTY},
        {"define": "site", "site": 1 << 40},
    ],
)
def test_hostile_texts(tmp_path: Path, definition: dict[str, Any]) -> None:
    hooks = site(site=1, kind="hooks", phases=["hooks"], hook="on_train_batch_end", counts="batch", stage=None)
    each = site(site=2, kind="hook", depth=1, phases=["hooks"], hook="on_train_batch_end", stage=None)
    state = site(site=3, kind="state", phases=[], names=[], stage=None)
    low, high = struct.unpack("<2I", struct.pack("<d", 0.5))
    records = events(-1, 5, -2, 6, 7, 0, -4, 0, low, high, 0, -3, 7, 8, 0)
    data = (
        MAGIC
        + block(BlockKind.FACTS, json.dumps(FACTS_OF).encode())
        + site()
        + hooks
        + each
        + state
        + define(definition)
    )
    trace = trace_of(tmp_path, data + records)
    rows = read_all(trace)
    assert (rows["fits"], rows["hooks"]) == (1, 1)
    assert "\x1b" not in repr(trace)
    assert "<script" not in trace._repr_html_()


def test_foreign_files_among_the_journals(tmp_path: Path) -> None:
    data = b"".join(journal_of(1))
    (tmp_path / "run" / "journal" / "folder.journal").mkdir(parents=True)
    for name, foreign in {"a.journal": b"%PDF-1.4 nothing", "0.journal": b"", "-1-2.journal": bytes(99)}.items():
        (tmp_path / "run" / "journal" / name).write_bytes(foreign)
    schema_run.new(str(tmp_path / "run"), "run", ["x"], "python", "0")
    (tmp_path / "run" / "journal" / "1700000000000000000-5-11.journal").write_bytes(data)
    trace = fittrace.open(tmp_path / "run")
    assert trace.processes()["pid"].tolist()[0] == FACTS_OF["pid"]
    assert set(trace.fits()["process"]) == {0}
    assert "damaged" in set(trace.notes()["kind"])


def test_facts_of_the_run_that_are_too_deep(tmp_path: Path) -> None:
    trace_of(tmp_path, MAGIC)
    (tmp_path / "run" / "run.json").write_text("[" * 100_000)
    with pytest.raises(fittrace.FittraceError, match=r"run\.json: damaged"):
        fittrace.open(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text('{"schema": 3, "run": "run"}')
    with pytest.raises(fittrace.FittraceError, match="schema 3, this fittrace reads 1-1; upgrade fittrace"):
        fittrace.open(tmp_path / "run")


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_damaged_the_trace_opens_or_says_why(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    trace = trace_of(tmp_path, b"".join(journal_of(seed)))
    whole = {table: bags(trace, table) for table in ("spans", "batches", "hooks", "logs", "fits")}
    convert_run(tmp_path / "run")
    file = random.choice(sorted(one for one in (tmp_path / "run").rglob("*") if one.is_file()))
    data = bytearray(file.read_bytes())
    how = random.choice(("flip", "cut", "remove", "swap"))
    if how == "flip" and data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        file.write_bytes(data)
    elif how == "cut":
        file.write_bytes(data[: random.randrange(len(data))])
    elif how == "swap":
        file.write_bytes(random.choice(sorted((tmp_path / "run" / "spans").rglob("*.parquet"))).read_bytes())
    else:
        file.unlink()
    for table, rows in whole.items():
        try:
            found = bags(fittrace.open(tmp_path / "run"), table)
        except fittrace.FittraceError as error:
            assert "\n" not in str(error)
        else:
            assert found <= rows


def bags(trace: fittrace.Trace, table: str) -> set[str]:
    frame = getattr(trace, table)()
    return {str(row) for row in frame.itertuples(index=False)}
