"""A backend that people use, Arize Phoenix: what it tells of the spans that were sent to it, through its own API."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fittrace.cli import main
from fittrace.export.otel_spans import SpanChoice
from fittrace.export.otlp import requests
from fittrace.schema.sent_batches import SentBatches
from fittrace.tables import TraceTables

from .conftest import ROOT, Run

pytestmark = pytest.mark.slow

PHOENIX = ROOT / ".venv-phoenix" / "bin" / "phoenix"
REFERENCE = ROOT / "traces" / "reference-keras-3"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Backend:
    """A running Phoenix, at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        """What its API answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def spans(self, least: int) -> dict[str, dict[str, Any]]:
        """All its spans by their ids, when there are `least` of them."""
        deadline = time.monotonic() + 60
        while True:
            found: list[dict[str, Any]] = []
            cursor: str | None = ""
            while cursor is not None:
                answer = self.get(f"/v1/projects/default/spans?limit=1000{cursor and '&cursor=' + cursor}")
                found, cursor = found + answer["data"], answer["next_cursor"]
            if len(found) >= least or time.monotonic() > deadline:
                return {span["context"]["span_id"]: span for span in found}
            time.sleep(0.5)


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """A Phoenix of this test alone."""
    if not PHOENIX.exists():
        absent = "no Phoenix here; `scripts/env phoenix` makes it"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    port = free_port()
    settings = {
        "PHOENIX_WORKING_DIR": str(tmp_path / "phoenix"),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    with (tmp_path / "phoenix.log").open("w") as log:
        server = subprocess.Popen([str(PHOENIX), "serve"], env={**os.environ, **settings}, stdout=log, stderr=log)
    found = Backend(f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                found.get("/v1/projects")
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "phoenix.log").read_text()
                time.sleep(0.5)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def test_it_has_what_was_exported_and_what_was_sent_live(
    backend: Backend, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # It takes a hundred spans a second or so.
    level = ("--level", "hooks", "--batches", "0.05")
    assert main(["export", str(REFERENCE), "--format", "otlp", "--endpoint", backend.url, *level]) == 0
    expected = [
        span
        for spans in requests(TraceTables.open(REFERENCE), SpanChoice("hooks", SentBatches(0.05)))
        for span in spans
    ]
    assert capsys.readouterr().out == f"{backend.url}: {len(expected)} spans\n"
    has = backend.spans(len(expected))
    assert len(has) == len(expected) > 300
    for span in expected:
        told = has[f"{span.context.span_id:016x}"]
        assert told["name"] == span.name
        assert told["context"]["trace_id"] == f"{span.context.trace_id:032x}"
        assert told["parent_id"] == (None if span.parent is None else f"{span.parent.span_id:016x}")
        assert told["attributes"] == pytest.approx(dict(span.attributes))

    assert run("plain", otlp=backend.url, options=("--otlp-level", "all", "--otlp-batches", "0.2")).returncode == 0
    recorded = requests(TraceTables.open(tmp_path / "run"), SpanChoice("all", SentBatches(0.2)))
    live = {f"{span.context.span_id:016x}" for spans in recorded for span in spans}
    assert live <= backend.spans(len(expected) + len(live)).keys()
