"""A pytest module that pins the hook order and the log keys of a recorded run.

A trace may come from a stranger, and this writes code. Nothing of the trace gets into it but hooks of Keras by name,
and literals of numbers and texts; what the module runs comes from the user.
"""

from __future__ import annotations

import pprint
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..analysis.contract import log_keys
from ..analysis.hook_calls import calls_of
from ..analysis.pattern import described, parse
from ..schema.errors import FittraceError
from ..schema.hook_names import HOOKS
from ..schema.safe_text import printable
from ..tables import TraceTables

_TRAINS_AS_THE_USER_SAYS = '''\
"""The hooks of a recorded run on {engines}.

Written by `fittrace testgen`. `train` repeats {program}; put in its place what trains the same way and takes less time.
"""

import runpy
import sys


def train(monkeypatch):
    """Train as the recorded run did."""
    monkeypatch.setattr(sys, "argv", {argv})
    monkeypatch.syspath_prepend({folder})
    {call}
'''

_TRAINS_NOT_YET = '''\
"""The hooks of a recorded run on {engines}.

Written by `fittrace testgen`. What trains is still to be written, in `train`.
"""


def train(monkeypatch):
    """Train as the recorded run did."""
    raise NotImplementedError("write here what trains, or let `fittrace testgen --script SCRIPT` write it")
'''

_TEST = """

def test_hooks_and_log_keys(fit_trace, monkeypatch):
    train(monkeypatch)
    assert fit_trace.fits()["method"].tolist() == {methods}
"""


@dataclass(frozen=True)
class PinnedProgram:
    """What a generated test runs, as its user says it: a `script`, or else a `module`, and its `arguments`."""

    script: str | None
    module: str | None
    arguments: tuple[str, ...] = ()


def pinned_module(trace: TraceTables, program: PinnedProgram | None) -> str:
    """The module for `trace`, one run, that runs `program`; without one the user is to write what trains.

    Raises `FittraceError` where it is a folder of runs, has no fit, or holds what no fit of Keras does.
    """
    if trace.is_folder:
        raise FittraceError(f"{trace.path}: a folder of runs; give one of them, `fittrace ls {trace.path}` lists them")
    fits, processes = trace.fits(), trace.processes()
    # The program's own process is the one that no other started; what its children fitted a test cannot repeat.
    own = processes.loc[~processes["parent_pid"].isin(processes["pid"]), "process"].tolist()
    fits = fits[fits["process"].isin(own[:1])]
    if fits.empty:
        raise FittraceError(f"{trace.path}: no fit in it, so there is nothing to pin; record a run that trains")
    engines = (fits["engine"].astype(str) + " " + fits["engine_version"].astype(str)).unique()
    head = _head(program, _word(" and ".join(engines)))
    test = _TEST.format(methods=_literal(fits["method"].astype(str).tolist()))
    hooks = trace.hooks()
    return head + test + "".join(_fit_lines(fit, hooks) for _, fit in fits.iterrows())


def _head(program: PinnedProgram | None, engines: str) -> str:
    if program is None:
        return _TRAINS_NOT_YET.format(engines=engines)
    if program.script is not None:
        name, folder = program.script, str(Path(program.script).parent)
        call = f'runpy.run_path({_literal(name)}, run_name="__main__")'
    else:
        name, folder = str(program.module), "."
        call = f'runpy.run_module({_literal(name)}, run_name="__main__", alter_sys=True)'
    return _TRAINS_AS_THE_USER_SAYS.format(
        engines=engines,
        program=_word(Path(name).name),
        argv=_literal([name, *program.arguments]),
        folder=_literal(folder),
        call=call,
    )


def _fit_lines(fit: pd.Series, hooks: pd.DataFrame) -> str:
    mine = hooks[(hooks["process"] == fit["process"]) & (hooks["fit"] == fit["fit"])]
    lines = ["", *_order_lines(fit, mine), *_keys_lines(fit, mine)]
    return textwrap.indent("\n".join(lines) + "\n", "    ", lambda line: bool(line.strip()))


def _order_lines(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[str]:
    calls = calls_of(hooks, str(fit["thread"]))
    for call in calls:
        # A pattern may have comments, in which anything could stand.
        if call.hook not in HOOKS:
            raise FittraceError(f"{printable(call.hook)}: no hook of Keras; pin a trace that fittrace recorded")
    pattern = described(calls)
    parse(pattern)
    if not pattern:
        yield f'fit_trace.assert_hook_order("", fit={_literal(fit["fit"])})'
        return
    yield "fit_trace.assert_hook_order("
    yield '    """'
    yield from textwrap.indent(pattern, "    ").splitlines()
    yield '    """,'
    yield f"    fit={_literal(fit['fit'])},"
    yield ")"


def _keys_lines(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[str]:
    keys = log_keys(hooks)
    if not keys:
        yield f"assert fit_trace.log_keys(fit={_literal(fit['fit'])}) == {{}}"
        return
    yield f"assert fit_trace.log_keys(fit={_literal(fit['fit'])}) == {{"
    for hook, names in keys.items():
        yield f"    {_literal(hook)}: {_literal(names)},"
    yield "}"


def _literal(value: str | int | list[str]) -> str:
    """A text, a whole number or a list of texts as Python writes it."""
    if not isinstance(value, list):
        return _text(value) if isinstance(value, str) else str(int(value))
    return pprint.pformat(value, width=10_000).replace("'", '"') if all(map(_is_plain, value)) else ascii(value)


def _text(text: str) -> str:
    return f'"{text}"' if _is_plain(text) else ascii(text)


def _is_plain(text: str) -> bool:
    """Whether `text` is the same between double quotes, so that it needs none of Python's escapes."""
    return text.isascii() and text.isprintable() and not set("'\"\\") & set(text)


def _word(text: str) -> str:
    """`text` for the inside of a docstring: with nothing in it that could end one."""
    return re.sub(r"[^A-Za-z0-9_. +-]", "_", text)[:100]
