"""Where the program defines its hooks, from the settings of callbacks in the table `values`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reading.stores import columns, small_tables, write_run

import fittrace
from fittrace.analysis.code_line import CodeLine
from fittrace.analysis.hook_lines import HookLines, hook_lines


def lines(tmp_path: Path, *settings: tuple[str, float | str]) -> HookLines:
    """The lines in a fit whose list has the callbacks A and B, with these settings."""
    key: dict[str, Any] = {"fit": 0, "span": 4, "site": 0}
    rows = [key | {"key": name, ("text" if isinstance(value, str) else "value"): value} for name, value in settings]
    run = write_run(tmp_path / "run", tables=small_tables() | {"values": columns(rows)})
    (found,) = hook_lines(fittrace.open(run)).values() or [{}]
    return found


def test_each_callback_has_the_lines_of_its_own_hooks(tmp_path: Path) -> None:
    found = lines(
        tmp_path,
        ("callbacks[0].on_epoch_end", 1.0),
        ("callbacks[0].on_epoch_end.file", "/me/a.py"),
        ("callbacks[0].on_epoch_end.line", 3.0),
        ("callbacks[1].on_epoch_end.file", "/me/b.py"),
        ("callbacks[1].on_epoch_end.line", 5.0),
        ("callbacks[1].on_train_begin.line", 9.0),  # without a file
        ("callbacks[7].on_epoch_end.file", "/me/nobody.py"),  # which nobody called
        ("callbacks[7].on_epoch_end.line", 5.0),
    )
    assert found == {("A", "on_epoch_end"): CodeLine("/me/a.py", 3), ("B", "on_epoch_end"): CodeLine("/me/b.py", 5)}


def test_the_older_name_of_a_hook_is_called_under_both(tmp_path: Path) -> None:
    found = lines(tmp_path, ("callbacks[0].on_batch_end.file", "a.py"), ("callbacks[0].on_batch_end.line", 3.0))
    assert found == {("A", hook): CodeLine("a.py", 3) for hook in ("on_batch_end", "on_train_batch_end")}


def test_what_no_line_can_be_is_left_out(tmp_path: Path) -> None:
    hook = "callbacks[0].on_epoch_end"
    assert lines(tmp_path, (f"{hook}.file", "a.py"), (f"{hook}.line", float("inf"))) == {}
    assert hook_lines(fittrace.open("traces")) == {}  # recorded before there were lines
