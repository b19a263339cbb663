"""How a run ended, in a few words."""

from __future__ import annotations

import signal
from collections.abc import Collection

from ..schema.safe_text import printable
from ..store.run_files import RunFiles


def ending(run: RunFiles, processes: Collection[str] = ()) -> str:
    """How `run` ended.

    `processes` has the endings of its processes. A process may be cut off although the run's own facts look complete.
    """
    code, number = run.facts.get("exit_code"), run.facts.get("signal")
    if run.running:
        return "still running"
    if number is not None:
        return f"killed by {_signal_name(number)}"
    if code is not None:
        return ("ok" if code == 0 else f"exit code {printable(code)}") + (
            ", a process cut off" if "cut" in processes else ""
        )
    # No exit code: the context manager recorded the run, or the launcher died before it could write the code.
    return "cut off" if run.facts.get("end_ns") is None or "cut" in processes else "ok"


def _signal_name(number: object) -> str:
    try:
        return signal.Signals(int(str(number))).name
    except ValueError:
        return f"signal {printable(number)}"
