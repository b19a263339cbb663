"""A pytest module that pins the hook order and the log keys of a recorded run.

A trace may come from a stranger, and this module writes code. So only three things of a trace get into the code: names
of Keras' hooks, literal numbers and literal texts. What the generated test runs comes from the user.
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
    """The program that a generated test runs. The user names it.

    - `script`: the path of a script; None where it is a module.
    - `module`: the name of a module; None where it is a script.
    - `arguments`: its command line arguments.
    """

    script: str | None
    module: str | None
    arguments: tuple[str, ...] = ()


def pinned_module(trace: TraceTables, program: PinnedProgram | None) -> str:
    """The source of a pytest module that runs `program` and pins the hooks of `trace`.

    Without a `program`, the user has to write the function that trains. Raises `FittraceError` if the trace is a folder
    of runs, has no fit, or has a hook that Keras does not have.
    """
    if trace.is_folder:
        raise FittraceError(f"{trace.path}: a folder of runs; give one of them, `fittrace ls {trace.path}` lists them")
    fits, processes = trace.fits(), trace.processes()
    # Pin the fits of the process that no other process of the run started. A test cannot repeat those of its children.
    own = processes.loc[~processes["parent_pid"].isin(processes["pid"]), "process"].tolist()
    fits = fits[fits["process"].isin(own[:1])]
    if fits.empty:
        raise FittraceError(f"{trace.path}: no fit in it, so there is nothing to pin; record a run that trains")
    engines = (fits["engine"].astype(str) + " " + fits["engine_version"].astype(str)).unique()
    head = _head(program, _docstring_text(" and ".join(engines)))
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
        program=_docstring_text(Path(name).name),
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
        # The pattern language has comments, so a forged hook name could smuggle any text into the pattern.
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
    """Whether `text` can stand between double quotes without any escape."""
    return text.isascii() and text.isprintable() and not set("'\"\\") & set(text)


def _docstring_text(text: str) -> str:
    """`text` made safe for a docstring: without quotes and backslashes, which could end it."""
    return re.sub(r"[^A-Za-z0-9_. +-]", "_", text)[:100]
