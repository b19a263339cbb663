"""`FitTrace`: the trace of a test's own fits, with assertions on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..analysis.contract import contract, log_keys
from ..analysis.hook_calls import Call, calls_of
from ..analysis.pattern import PatternError, described, match, parse
from ..analysis.verdict import with_verdicts
from ..schema.errors import FittraceError
from ..schema.safe_text import printable, printable_lines
from ..views.hook_order import comparison, position
from .engine_line import engine_line

if TYPE_CHECKING:
    import pandas as pd

    from ..tables import TraceTables


class FitTrace:
    """The value of the fixture `fit_trace`: the tables of the fits that the test has made up to now, and assertions.

    The tables are those of `fittrace.Trace`: `fits`, `spans`, `batches`, `hooks`, `logs`, `samples`, `stops`, `values`,
    `processes`, `sites`, `notes` and `sql`.

    Its text is the contract of the fits: hook order, log keys and phases, which are the same on every machine. Two are
    equal if their texts are. So it can be compared with a snapshot of syrupy or inline-snapshot.
    """

    def __init__(self, read: Callable[[], TraceTables]) -> None:
        self._read = read

    @property
    def trace(self) -> TraceTables:
        """The trace up to now."""
        return self._read()

    def fits(self) -> pd.DataFrame:
        """The calls of `fit`, and those of `evaluate` and `predict` outside a fit's own validation."""
        trace = self.trace
        return with_verdicts(trace.fits(), trace)

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
        """The logs as each `CallbackList.on_*` left them, one row for each key."""
        return self.trace.logs()

    def samples(self) -> pd.DataFrame:
        """The order in which each epoch took its samples, in engines that loop over arrays."""
        return self.trace.samples()

    def stops(self) -> pd.DataFrame:
        """The changes of the model's `stop_training`, each with the hook that made it."""
        return self.trace.stops()

    def values(self) -> pd.DataFrame:
        """The arguments of `fit`, and the settings of its callbacks and of `compile`."""
        return self.trace.values()

    def processes(self) -> pd.DataFrame:
        """The traced processes: the test's own, and those that it started."""
        return self.trace.processes()

    def sites(self) -> pd.DataFrame:
        """The places in the engine's source that record."""
        return self.trace.sites()

    def notes(self) -> pd.DataFrame:
        """Notes to the reader of the trace, such as what is missing in it."""
        return self.trace.notes()

    def sql(self, query: str) -> pd.DataFrame:
        """The result of one SQL `SELECT` over these tables."""
        return self.trace.sql(query)

    def hook_order(self, fit: int | None = None, callbacks: str | Sequence[str] = ()) -> str:
        """The pattern that the hooks of a fit followed, as `assert_hook_order` takes it.

        - `fit`: the number of the fit; it may be omitted if the test made only one.
        - `callbacks`: class names of callbacks, to see their hooks only; all if empty.
        """
        chosen = self._chosen(fit)
        return described(self._calls(chosen, callbacks))

    def log_keys(self, fit: int | None = None) -> dict[str, list[str]]:
        """For each hook that gets logs, the keys that were there before or after any callback, sorted.

        - `fit`: the number of the fit; it may be omitted if the test made only one.
        """
        return log_keys(_of(self.hooks(), self._chosen(fit)))

    def contract(self, fit: int) -> str:
        """The contract of the fit with this number, as text."""
        chosen = self._chosen(fit)
        return contract(chosen, _of(self.hooks(), chosen), _of(self.spans(), chosen))

    def assert_hook_order(self, pattern: str, fit: int | None = None, callbacks: str | Sequence[str] = ()) -> None:
        """Assert that all hooks of a fit match a pattern.

        Raises `PatternError` if the pattern has a mistake.

        - `pattern`: the expected order, in the language of `fittrace.analysis.pattern`.
        - `fit`: the number of the fit; it may be omitted if the test made only one.
        - `callbacks`: class names of callbacks, to compare their hooks only; all if empty.

        >>> def test_it(fit_trace):
        ...     model.fit(x, y, epochs=2)
        ...     fit_trace.assert_hook_order("on_train_begin each epoch (on_epoch_begin batches on_epoch_end) ...")
        """
        __tracebackhide__ = True
        try:
            parsed = parse(pattern)
        except PatternError as error:
            # The error shows the place in the pattern. A traceback through the parser would not help.
            raise error.with_traceback(None) from None
        chosen = self._chosen(fit)
        calls = self._calls(chosen, callbacks)
        mismatch = match(parsed, calls)
        if mismatch is None:
            return
        lines = [f"{chosen['method']} {chosen['fit']} leaves the expected hook order {position(mismatch, calls)}", ""]
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
        # Python then asks `other`, which may be a snapshot that compares itself.
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return printable_lines("\n".join(self.contract(number) for number in self._own_fits()["fit"]))

    def _own_fits(self) -> pd.DataFrame:
        """The fits of the test's own process."""
        processes = self.processes()
        own = processes.loc[processes["pid"] == os.getpid(), "process"]
        fits = self.trace.fits()
        own_fits: pd.DataFrame = fits[fits["process"].isin(own)]
        return own_fits

    def _chosen(self, fit: int | None) -> pd.Series:
        """The row of the fit with this number, or of the only fit."""
        __tracebackhide__ = True
        fits = self._own_fits()
        if fit is None:
            # An evaluate, or a fit in a hook, is meant only if there is no other fit.
            outer_fits = fits[fits["parent_fit"].isna() & fits["method"].str.startswith("fit")]
            candidates = fits if outer_fits.empty else outer_fits
        else:
            candidates = fits[fits["fit"] == fit]
        if len(candidates) == 1:
            return candidates.iloc[0]
        if fits.empty:
            raise FittraceError(
                "fit_trace: nothing was fitted yet; call model.fit in the test, after the fixture is made"
            )
        known = ", ".join(f"{number} {method}" for number, method in zip(fits["fit"], fits["method"], strict=True))
        problem = "which fit is meant is not clear" if fit is None else f"no fit {fit}"
        raise FittraceError(f"fit_trace: {problem}; the test made {known}: give one's number, fit=0")

    def _calls(self, fit: pd.Series, callbacks: str | Sequence[str]) -> list[Call]:
        """The hook calls of `fit`, a row of `fits`, for these callbacks or for all."""
        __tracebackhide__ = True
        names = (callbacks,) if isinstance(callbacks, str) else tuple(callbacks)
        hooks = _of(self.hooks(), fit)
        for name in names:
            if name not in set(hooks["callback"]):
                known = ", ".join(sorted(set(hooks["callback"]))) or "none"
                raise FittraceError(f"fit_trace: no hook of a callback {name!r} was called; those called: {known}")
        return calls_of(hooks, str(fit["thread"]), names)


def _of(table: pd.DataFrame, fit: pd.Series) -> pd.DataFrame:
    """The rows of `fit`, a row of `fits`, in another table."""
    rows: pd.DataFrame = table[(table["process"] == fit["process"]) & (table["fit"] == fit["fit"])]
    return rows
