"""Healthy runs to start from: recorded for real, killed before their tables were written, sampled, made up."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
from crash.runs import finish, start, start_alone
from crash.streams import FACTS_OF, Program, Shape, blocks_of, drains
from crash.test_metadata import SITES, records, run_metadata, told

import fittrace
from fittrace.capture.journal.collector import pack
from fittrace.capture.journal.record_buffer import Buffer
from fittrace.capture.journal.thread_buffers import Thread
from fittrace.schema import run_facts as schema_run
from fittrace.schema.journal_format import MAGIC, BlockKind, block
from fittrace.store import part_names

ROWS = 60
"""Rows kept of each table of a reference trace: enough for every kind of row, few enough to be read at once."""


def make(folder: Path) -> list[Path]:
    """Make the healthy runs under `folder`; their folders, each called after what it is."""
    folder.mkdir(parents=True)
    references = sorted((Path(fittrace.__file__).parents[1] / "traces").glob("reference-*"))
    return [
        _recorded(folder / "recorded"),
        _cut(folder / "cut"),
        _made_up(folder / "made-up"),
        _sampled(folder / "sampled"),
        *(_shortened(reference, folder / reference.name) for reference in references),
    ]


def _recorded(run: Path) -> Path:
    """A run of the Keras in miniature with its tables."""
    process = start(run.parent, run.parent / "witness", "--steps", "3", "--epochs", "2")
    code, words = finish(process)
    assert code == 0, words
    return (run.parent / "run").rename(run)


def _cut(run: Path) -> Path:
    """The same killed, and its launcher too: the journal is all there is."""
    process = start_alone(run, run.parent / "witness", "kill", "--steps", "3", "--epochs", "2", "--at", "5")
    process.communicate(timeout=60)
    return run


def _made_up(run: Path) -> Path:
    """A journal of a made-up engine at work on two threads."""
    program = Program(Random(7), Shape(fits=3, failing=0.01), longest=300).run()
    _journal(run, b"".join(blocks_of(program, drains(Random(7), program, 8), closed=True)))
    return run


def _sampled(run: Path) -> Path:
    """A journal with what TensorFlow told of two batches."""
    sites = [json.dumps({"define": "site", "site": number, **site}) for number, site in enumerate(SITES)]
    thread = Thread(0, Buffer())
    thread.buffer.extend(records([0, 1, None], traced=0))
    data = (
        MAGIC
        + block(BlockKind.FACTS, json.dumps(FACTS_OF).encode())
        + block(BlockKind.DEFINE, "\n".join(sites).encode())
    )
    data += told(0, run_metadata(130)) + told(1, run_metadata(230)) + pack(thread, thread.take())
    _journal(run, data)
    return run


def _journal(run: Path, data: bytes) -> None:
    (run / "journal").mkdir(parents=True)
    schema_run.new(str(run), run.name, ["train.py"], sys.executable, fittrace.__version__)
    (run / "journal" / "1700000000000000000-5-11.journal").write_bytes(data)


def _shortened(reference: Path, run: Path) -> Path:
    """The first rows of each table of a reference trace."""
    shutil.copytree(reference, run)
    for file in run.rglob("*.parquet"):
        table = pq.ParquetFile(file).read()
        plain = file.with_name("part-0.parquet")
        file.unlink()
        pq.write_table(table.slice(0, ROWS), plain)
        part_names.sealed(plain)
    return run
