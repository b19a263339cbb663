"""On every engine, what is sent live and what the trace of the same run holds are the same spans."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from engine_matrix import NEWEST, ROOT, Engine, require
from faithful.processes import environ

from fittrace.export.otel_spans import SpanChoice
from fittrace.export.otlp import requests
from fittrace.schema import otel_names
from fittrace.schema.sent_batches import SentBatches
from fittrace.tables import TraceTables

from .test_nested import OPENTELEMETRY_3_7, PROGRAM

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("batches", ["1", "0.5", "100/s"])
@pytest.mark.parametrize("engine", NEWEST, ids=str)
def test_live_and_later_agree(engine: Engine, batches: str, tmp_path: Path) -> None:
    """Where some batches are left out, what is followed changes with each of them."""
    require(engine)
    settings = {"level": "all", "batches": batches}
    path = [ROOT, *([OPENTELEMETRY_3_7] if engine.legacy else [])]
    options = [
        "--quiet",
        "--python",
        str(engine.python),
        "--out",
        str(tmp_path),
        "--name",
        "run",
        "--run-metadata",
        "off",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument],
        env=environ(":".join(map(str, path)), SEEN=str(tmp_path / "seen.json"), SETTINGS=json.dumps(settings)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    trace = TraceTables.open(tmp_path / "run")
    assert trace.notes().empty
    told = json.loads((tmp_path / "seen.json").read_text())["spans"]
    live = {span["id"]: span for span in told if span["scope"][0] == otel_names.SCOPE}
    later = {
        span.context.span_id: span
        for spans in requests(trace, SpanChoice("all", SentBatches.of(batches)))
        for span in spans
    }
    # The last fit was not instrumented any more.
    last = trace.fits().fit.iloc[-1]
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
