"""Sentences about one fit, for the summary in a terminal and for the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..analysis.code_line import file_name
from ..analysis.units import amount, byte_size, count, duration, share
from ..schema.safe_text import printable
from ..schema.tables import BATCH_PHASES

Row = Mapping[str, Any]


def fit_name(fit: Row) -> str:
    """The name of a fit, a row of `fits`. It names the run too if the row is from a folder of runs.

    >>> fit_name({"run": "night", "method": "fit", "fit": 2, "process": 1})
    'night fit 2 of process 1'
    """
    where = f"{fit['run']} " if "run" in fit else ""
    process = f" of process {fit['process']}" if fit["process"] else ""
    return f"{where}{fit['method']} {fit['fit']}{process}"


def caller(fit: Row) -> str | None:
    """Where the program called a fit, a row of `fits`; None if the trace does not say.

    >>> caller({"caller_file": "/home/me/train.py", "caller_line": 12, "caller_function": "main"})
    'called from /home/me/train.py:12 in main'
    """
    if fit["caller_file"] is None:
        return None
    function = "" if fit["caller_function"] in (None, "<module>") else f" in {printable(fit['caller_function'])}"
    return f"called from {_line(fit['caller_file'], fit['caller_line'])}{function}"


def short_caller(fit: Row) -> str:
    """The same in short, for a table: the name of the file, and the line.

    >>> short_caller({"caller_file": "/home/me/train.py", "caller_line": 12})
    'train.py:12'
    """
    if fit["caller_file"] is None:
        return "–"
    return _line(file_name(fit["caller_file"]), fit["caller_line"])


def _line(file: str, line: int | None) -> str:
    return printable(file if line is None else f"{file}:{line}")


def stop(row: Row) -> str:
    """Name the hook that set `stop_training`, and its epoch and batch."""
    batch = f"batch {count(row['batch'])} of " if row["batch"] is not None else ""
    when = f", {batch}epoch {count(row['epoch'])}" if row["epoch"] is not None else ""
    hook = printable(row["hook"])
    if row["callback"] is None:
        return f"stopped outside of hooks, before {hook}{when}"
    return f"stopped by {printable(row['callback'])}.{hook}{when}"


def memory(row: Row) -> str:
    """Sum up the memory of a fit's process, a row of `FitSummary.memory`.

    >>> memory({"first": 750_000_000, "last": 844_000_000, "most": 860_000_000})
    'memory: 750 MB as the fit began, 844 MB as it ended (+94 MB), at most 860 MB'
    """
    grown = row["last"] - row["first"]
    change = f"{'-' if grown < 0 else '+'}{byte_size(abs(grown))}"
    first, last, most = (byte_size(row[name]) for name in ("first", "last", "most"))
    return f"memory: {first} as the fit began, {last} as it ended ({change}), at most {most}"


def inner_fits(row: Row, fit: Row) -> str:
    """Sum up the fits that a hook called.

    - `row`: a row of `FitSummary.inner`.
    - `fit`: the fit's row of `fits`.
    """
    hook = printable(row["hook"] or "a hook")
    batches = amount(row["batches"], "batch", "batches")
    times = amount(row["count"], "time", "times")
    took = f"{duration(float(row['total']))}, {share(row['total'], fit['duration_ns'])}"
    return f"inside it: {hook} calls {row['method']} {times}, {batches}, {took} of the fit"


def first_batch(row: Row) -> str:
    """Compare the first batch with the others. `row` is `FitSummary.first_batch`."""
    above = row["duration_ns"] - row["median_ns"]
    text = f"first batch: {duration(row['duration_ns'])}, the others {duration(row['median_ns'])} (median)"
    if above <= 0:
        return f"{text}: it cost nothing above them"
    phase = max(BATCH_PHASES, key=lambda phase: float(row[phase] or 0))
    return f"{text}: {duration(above)} above them, {duration(row[phase])} of it in {phase}"


def retraced(row: Row) -> str:
    """Say how many batches were retraced, and the remedy. `row` is `FitSummary.retraced`."""
    return (
        f"tf.function was traced anew in {count(row['retraced'])} of {amount(row['batches'], 'batch', 'batches')}"
        " after the first: give it batches of one shape and type, and no Python numbers that change"
    )


def sampled(row: Row) -> str:
    """How the sampled batches spent the function's time. `row` is `FitSummary.sampled`."""
    parts = {"waiting for data": "data_wait", "computing on the host": "host", "on devices": "device"}
    return "function: " + ", ".join(f"{words} {share(row[key], row['function'])}" for words, key in parts.items())


def sampled_batches(row: Row) -> str:
    """How many batches were sampled. `row` is `FitSummary.sampled`."""
    which = amount(row["batches"], "sampled batch", "sampled batches")
    return which + (" (the first batch, which is apart, is not among them)" if row["first"] else "")
