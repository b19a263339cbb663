"""A pytest module that pins the hook order and the log keys of a recorded run."""

from __future__ import annotations

import json
import pprint
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ..analysis.calls import calls_of
from ..analysis.contract import log_keys
from ..analysis.pattern import described, parse
from ..schema.errors import FittraceError
from ..tables import Trace

_MODULE = '''\
"""The hooks of {program}, as they were in a recorded run on {engines}.

Written by `fittrace testgen`. `train` repeats the run; put in its place what trains the same way and takes less time.
"""

import runpy
import sys


def train(monkeypatch):
    """Train as the recorded run did."""
    monkeypatch.setattr(sys, "argv", {argv})
    monkeypatch.syspath_prepend({folder})
    {call}


def test_hooks_and_log_keys(fit_trace, monkeypatch):
    train(monkeypatch)
    assert fit_trace.fits()["method"].tolist() == {methods}
'''


def pinned_module(trace: Trace) -> str:
    """The module for `trace`, one run. Raises `FittraceError` where it is a folder of runs or has no fit."""
    if trace.is_folder:
        raise FittraceError(f"{trace.path}: a folder of runs; give one of them, `fittrace ls {trace.path}` lists them")
    fits, processes = trace.fits(), trace.processes()
    if fits.empty:
        raise FittraceError(f"{trace.path}: no fit in it, so there is nothing to pin; record a run that trains")
    # The program's own process is the one that no other started; what its children fitted a test cannot repeat.
    own = processes[~processes["parent_pid"].isin(processes["pid"])].iloc[0]
    fits = fits[fits["process"] == own["process"]]
    words = [str(word) for word in json.loads(own["argv"])] or ["train.py"]
    engines = (fits["engine"].astype(str) + " " + fits["engine_version"].astype(str)).unique()
    head = _MODULE.format(
        program=_quotable(Path(words[0]).name),
        engines=_quotable(" and ".join(engines)),
        argv=_literal(words),
        folder=_literal(str(Path(words[0]).parent)),
        call=_call(words, [str(word) for word in trace.runs[0].facts.get("argv", ())]),
        methods=_literal(fits["method"].astype(str).tolist()),
    )
    return head + "".join(_fit_lines(fit, trace.hooks()) for _, fit in fits.iterrows())


def _fit_lines(fit: pd.Series, hooks: pd.DataFrame) -> str:
    mine = hooks[(hooks["process"] == fit["process"]) & (hooks["fit"] == fit["fit"])]
    lines = ["", *_order_lines(fit, mine), *_keys_lines(fit, mine)]
    return textwrap.indent("\n".join(lines) + "\n", "    ", lambda line: bool(line.strip()))


def _order_lines(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[str]:
    pattern = described(calls_of(hooks, str(fit["thread"])))
    # A trace may come from anyone: what parses as a pattern can be nothing but one.
    parse(pattern)
    if not pattern:
        yield f'fit_trace.assert_hook_order("", fit={fit["fit"]})'
        return
    yield "fit_trace.assert_hook_order("
    yield '    """'
    yield from textwrap.indent(pattern, "    ").splitlines()
    yield '    """,'
    yield f"    fit={fit['fit']},"
    yield ")"


def _keys_lines(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[str]:
    keys = log_keys(hooks)
    if not keys:
        yield f"assert fit_trace.log_keys(fit={fit['fit']}) == {{}}"
        return
    yield f"assert fit_trace.log_keys(fit={fit['fit']}) == {{"
    for hook, names in keys.items():
        yield f"    {_literal(hook)}: {_literal(names)},"
    yield "}"


def _call(words: list[str], command: list[str]) -> str:
    """What repeats the run: of its script, or of its module, whose file the command line does not name."""
    # What a program of its own was started with begins with Python's flags; a block inside one has that one's words.
    if command and command[0].startswith("-") and words[0] not in command and "-m" in command[:-1]:
        module = command[command.index("-m") + 1]
        return f'runpy.run_module({_literal(module)}, run_name="__main__", alter_sys=True)'
    return f'runpy.run_path({_literal(words[0])}, run_name="__main__")'


def _literal(value: Any) -> str:
    """`value` as Python writes it; a trace may come from anyone, and so nothing but a literal comes out."""
    return pprint.pformat(value, width=10_000).replace("'", '"') if _is_plain(value) else ascii(value)


def _is_plain(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return all(
        isinstance(text, str) and text.isascii() and text.isprintable() and not set("'\"\\") & set(text)
        for text in texts
    )


def _quotable(text: str) -> str:
    """`text` for the inside of a docstring."""
    return ascii(text)[1:-1].replace('"', "'")
