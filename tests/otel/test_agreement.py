"""On every engine, what is sent live and what the trace of the same run holds are the same spans."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from engine_matrix import NEWEST, ROOT, Engine, require
from faithful.processes import environ, finish, start

from fittrace.export.otel_spans import SpanChoice
from fittrace.export.otlp import requests
from fittrace.schema import otel_names
from fittrace.schema.sent_batches import SentBatches
from fittrace.tables import TraceTables

from .test_nested import OPENTELEMETRY_3_7, PROGRAM

pytestmark = pytest.mark.slow

BATCHES = ("1", "0.5", "100/s")
"""Which batches are sent. With some left out, what the live tracer follows changes from batch to batch."""


@dataclass(frozen=True)
class SentLive:
    """A trace of several processes, each of which sent other batches.

    - `trace`: the trace.
    - `pids`: the id of each process, by the batches that it sent.
    - `spans`: all spans that ended in each process, in the same way.
    """

    trace: TraceTables
    pids: dict[str, int]
    spans: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=NEWEST, ids=str)
def sent_live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SentLive:
    """The program on each engine under fittrace."""
    engine: Engine = require(request.param)
    folder = tmp_path_factory.mktemp("agreement")
    path = [ROOT, *([OPENTELEMETRY_3_7] if engine.legacy else [])]
    options = ["--quiet", "--python", str(engine.python), "--out", str(folder), "--name", "run"]
    options += ["--run-metadata", "off"]
    program = [str(PROGRAM.with_name("nested_forked.py")), engine.argument, *BATCHES]
    command = [sys.executable, "-m", "fittrace", "run", *options, *program]
    run = finish(start(command, environ(":".join(map(str, path)), SEEN=str(folder)), folder))
    assert run.returncode == 0, run.stderr[-3000:]
    pids = dict(zip(BATCHES, json.loads((folder / "pids.json").read_text()), strict=True))
    spans = {batches: json.loads((folder / f"{pid}.json").read_text())["spans"] for batches, pid in pids.items()}
    return SentLive(TraceTables.open(folder / "run"), pids, spans)


@pytest.mark.parametrize("batches", BATCHES)
def test_live_and_later_agree(sent_live: SentLive, batches: str) -> None:
    trace = sent_live.trace
    assert trace.notes().empty
    live = {span["id"]: span for span in sent_live.spans[batches] if span["scope"][0] == otel_names.SCOPE}
    later = {
        span.context.span_id: span
        for spans in requests(trace, SpanChoice("all", SentBatches.of(batches)))
        for span in spans
        if span.resource.attributes["process.pid"] == sent_live.pids[batches]
    }
    assert later
    # The last fit was not instrumented any more.
    fits, processes = trace.fits(), trace.processes()
    (process,) = processes[processes["pid"] == sent_live.pids[batches]]["process"]
    last = fits[fits["process"] == process]["fit"].iloc[-1]
    later = {key: span for key, span in later.items() if span.attributes["keras.fit"] != last}
    # The fetch that found no more data is two slices live, and one in the trace.
    assert later.keys() <= live.keys()
    assert {live[key]["name"] for key in live.keys() - later.keys()} <= {"keras.slice"}
    for key, span in later.items():
        sent = live[key]
        assert (sent["name"], sent["start"], sent["end"]) == (span.name, span.start_time, span.end_time)
        assert sent["trace"] == span.context.trace_id
        if span.name != "keras.make_batches":
            assert sent["parent"] == (span.parent.span_id if span.parent is not None else None)
        same = set(span.attributes) - {"keras.fit", "keras.batch_size"}
        same -= {"keras.batch"} if span.name in ("keras.slice", "keras.make_batches") else set()
        assert {name: sent["attributes"].get(name) for name in same} == {name: span.attributes[name] for name in same}
