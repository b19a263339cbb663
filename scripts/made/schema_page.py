"""Writes docs/schema.md, from fittrace/schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from fittrace.schema.schema_version import OLDEST, VERSION
from fittrace.schema.table import Table
from fittrace.schema.tables import PHASES, STATUSES, TABLES

PAGE = Path("docs/schema.md")

HEAD = """\
# The tables of a trace

<!-- Generated from fittrace/schema by scripts/schema-doc; a test holds it current. -->

This is schema {version}. This fittrace reads schemas {oldest} to {version}.

Every table lies in its run's folder as Parquet, hive-partitioned by process:
`<run>/<table>/process=<n>/part-<k>-<crc32>.parquet`. DuckDB from 1.5 on reads it directly, and so does everything that
uses PyArrow from 20 on (pandas, Dask). The eight digits in a file's name are the CRC-32 of its bytes. The first column
of each file is `run`, the run's name. `process`, the number of the process, is in the path.

Times are Unix nanoseconds, durations are nanoseconds, and counts begin at 0. The type `text` is a dictionary column.
"""

SHOWN = """\
## What `Trace` and `sql` show

`Trace` and `sql` show the tables with the names and columns above. These differ:

- `run` is the first column where a folder of runs was opened. A single run has no such column. `process` is always
  there.
- `spans` has `self_ns` in place of `children_ns`. It is the fit's time that the span itself took,
  `duration_ns - children_ns`, and 0 on any other thread than the fit's. Over a fit's spans it adds up to the fit's
  duration.
- `hooks` has a row for each span of a callback's hook. Its columns are `fit`, `seq` (the row's number in its fit, in
  the order of time), `stage`, `epoch`, `batch`, `callback`, `position`, `hook`, `start_ns`, `duration_ns`, `thread`,
  `logs_before`, `logs_after`, `changed` (the keys that the callback added, altered or removed), `status`, `span` and
  `parent`. In Python the logs are a dict. In SQL they are a map to numbers, with null for a value that is no number.
- `memory` has a row for each reading of a process' memory, from `values`: `fit`, `stage`, `epoch`, `batch`, `hook`,
  `callback` and `position` (null: read before the first callback of the hook, else after that callback), `time_ns`,
  `resident_bytes` (what is in memory, RSS), `blocks` (those that Python's allocator has given out) and `limit_bytes`
  (what the process may have), both as a fit begins and ends, else null, and `span`. It is empty where the memory was
  not read.
- `sampled_batches` has `data_bytes`, the size of `data`, in place of `data`, `clock_ns`, `reference_ns` and `shift_ns`.
  `Trace.run_metadata` reads those.
- `logs` has each dict as its last callback left it: `fit`, `stage`, `epoch`, `batch`, `hook`, `key`, `value`, `text`,
  `span`. `sql` also has `stored.logs`, with every change.
"""


def document() -> str:
    """The whole page."""
    parts = [HEAD.format(version=VERSION, oldest=OLDEST)]
    parts += [_table(table) for table in TABLES.values()]
    parts += [SHOWN, "## Phases\n\n" + _rows(("phase", "meaning"), ((f"`{k}`", v) for k, v in PHASES.items()))]
    parts += ["## Statuses\n\n" + _rows(("status", "meaning"), ((f"`{k}`", v) for k, v in STATUSES.items()))]
    return "\n".join(parts)


def _table(table: Table) -> str:
    def cells() -> Iterator[tuple[str, str, str]]:
        for column in table.columns:
            kind = "text" if column.type == "dictionary" else column.type
            yield f"`{column.name}`", kind + (", nullable" if column.nullable else ""), column.meaning

    return f"## {table.name}\n\nA row is {table.row}.\n\n" + _rows(("column", "type", "meaning"), cells())


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("-" * len(name) for name in header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> None:
    PAGE.write_text(document(), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
