"""`FitTrace`: the trace of a test's own fits, with what a test wants to say about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..analysis.contract import contract, log_keys
from ..analysis.hook_calls import Call, calls_of
from ..analysis.pattern import PatternError, described, match, parse
from ..schema.errors import FittraceError
from ..schema.safe_text import printable, printable_lines
from ..views.hook_order import comparison, place
from .engine_line import engine_line

if TYPE_CHECKING:
    import pandas as pd

    from ..tables import TraceTables


class FitTrace:
    """What the fixture `fit_trace` gives: the tables of the fits that the test has made until now, and assertions.

    The tables are those of `fittrace.Trace`: `fits`, `spans`, `batches`, `hooks`, `logs`, `samples`, `stops`, `values`,
    `processes`, `sites`, `notes` and `sql`. Where a method takes `fit`, it is the fit's number; it can be left away
    where the test made only one. `callbacks` is the name of a callback's class, or several, to look at these alone.

    Its text is the contract of the fits: hook order, log keys and phases, and nothing that differs between machines.
    Two are equal when these are; so it can be compared with a snapshot of syrupy or inline-snapshot.
    """

    def __init__(self, read: Callable[[], TraceTables]) -> None:
        self._read = read

    @property
    def trace(self) -> TraceTables:
        """The trace as it is now."""
        return self._read()

    def fits(self) -> pd.DataFrame:
        """The calls of `fit`, and of `evaluate` and `predict` outside of it."""
        return self.trace.fits()

    def spans(self) -> pd.DataFrame:
        """All timed intervals."""
        return self.trace.spans()

    def batches(self) -> pd.DataFrame:
        """The turns of the batch loops."""
        return self.trace.batches()

    def hooks(self) -> pd.DataFrame:
        """The calls of callbacks' hooks, with the logs before and after."""
        return self.trace.hooks()

    def logs(self) -> pd.DataFrame:
        """The logs as each `CallbackList.on_*` left them, one key a row."""
        return self.trace.logs()

    def samples(self) -> pd.DataFrame:
        """The order in which each epoch took its samples, of engines that loop over arrays."""
        return self.trace.samples()

    def stops(self) -> pd.DataFrame:
        """What became of the model's `stop_training`, and which callback's hook did it."""
        return self.trace.stops()

    def values(self) -> pd.DataFrame:
        """What `fit` was called with, and what its callbacks monitor."""
        return self.trace.values()

    def processes(self) -> pd.DataFrame:
        """The processes that were traced: the test's own, and those that it started."""
        return self.trace.processes()

    def sites(self) -> pd.DataFrame:
        """The places in the engine's source that recorded."""
        return self.trace.sites()

    def notes(self) -> pd.DataFrame:
        """What the reader of the trace must know."""
        return self.trace.notes()

    def sql(self, query: str) -> pd.DataFrame:
        """The answer to one SQL `SELECT` over these tables."""
        return self.trace.sql(query)

    def hook_order(self, fit: int | None = None, callbacks: str | Sequence[str] = ()) -> str:
        """The pattern that the hooks of a fit followed, to be read, or to be given to `assert_hook_order`."""
        chosen = self._chosen(fit)
        return described(self._calls(chosen, callbacks))

    def log_keys(self, fit: int | None = None) -> dict[str, list[str]]:
        """For each hook that is given logs, the keys that its callbacks found or left there, sorted."""
        return log_keys(_of(self.hooks(), self._chosen(fit)))

    def contract(self, fit: int) -> str:
        """The contract of one fit as text."""
        chosen = self._chosen(fit)
        return contract(chosen, _of(self.hooks(), chosen), _of(self.spans(), chosen))

    def assert_hook_order(self, pattern: str, fit: int | None = None, callbacks: str | Sequence[str] = ()) -> None:
        """Assert that the hooks of a fit follow `pattern` from first to last (`fittrace.analysis.pattern` says how one
        is written). Raises `PatternError` where it is none.

        >>> def test_it(fit_trace):
        ...     model.fit(x, y, epochs=2)
        ...     fit_trace.assert_hook_order("on_train_begin each epoch (on_epoch_begin batches on_epoch_end) ...")
        """
        __tracebackhide__ = True
        try:
            parsed = parse(pattern)
        except PatternError as error:
            raise error.with_traceback(None) from None  # it shows the place in the pattern; ours is no matter
        chosen = self._chosen(fit)
        calls = self._calls(chosen, callbacks)
        mismatch = match(parsed, calls)
        if mismatch is None:
            return
        lines = [f"{chosen['method']} {chosen['fit']} leaves the expected hook order {place(mismatch, calls)}", ""]
        lines += comparison(mismatch, calls)
        if calls:
            line = engine_line(calls[min(mismatch.place, len(calls) - 1)], self.spans(), self.sites())
            lines += ["", line] if line is not None else []
        hooks = _of(self.hooks(), chosen)
        elsewhere = hooks[hooks["thread"] != chosen["thread"]].drop_duplicates("hook")
        for hook, thread in zip(elsewhere["hook"], elsewhere["thread"], strict=True):
            lines.append(f"{hook} ran on thread {thread}, in no order with the fit: it is not part of the comparison")
        raise AssertionError("\n".join(map(printable, lines)))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (FitTrace, str)):
            return str(self) == str(other)
        # A snapshot compares itself.
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return printable_lines("\n".join(self.contract(number) for number in self._own()["fit"]))

    def _own(self) -> pd.DataFrame:
        processes = self.processes()
        own = processes.loc[processes["pid"] == os.getpid(), "process"]
        fits = self.fits()
        mine: pd.DataFrame = fits[fits["process"].isin(own)]
        return mine

    def _chosen(self, fit: int | None) -> pd.Series:
        __tracebackhide__ = True
        fits = self._own()
        candidates = fits[fits["parent_fit"].isna() & fits["method"].str.startswith("fit")] if fit is None else fits
        candidates = fits if fit is None and candidates.empty else candidates
        found = candidates if fit is None else candidates[candidates["fit"] == fit]
        if len(found) == 1:
            return found.iloc[0]
        there = ", ".join(f"{number} {method}" for number, method in zip(fits["fit"], fits["method"], strict=True))
        if not there:
            raise FittraceError(
                "fit_trace: nothing was fitted yet; call model.fit in the test, after the fixture is made"
            )
        asked = "which fit is meant is not clear" if fit is None else f"no fit {fit}"
        raise FittraceError(f"fit_trace: {asked}; the test made {there}: give one's number, fit=0")

    def _calls(self, fit: pd.Series, callbacks: str | Sequence[str]) -> list[Call]:
        __tracebackhide__ = True
        names = (callbacks,) if isinstance(callbacks, str) else tuple(callbacks)
        hooks = _of(self.hooks(), fit)
        for name in names:
            if name not in set(hooks["callback"]):
                known = ", ".join(sorted(set(hooks["callback"]))) or "none"
                raise FittraceError(f"fit_trace: no hook of a callback {name!r} was called; those called: {known}")
        return calls_of(hooks, str(fit["thread"]), names)


def _of(table: pd.DataFrame, fit: pd.Series) -> pd.DataFrame:
    rows: pd.DataFrame = table[(table["process"] == fit["process"]) & (table["fit"] == fit["fit"])]
    return rows
