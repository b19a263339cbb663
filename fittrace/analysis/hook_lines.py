"""Where the program defines the hooks of its callbacks, from the table `values`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ..tables import TraceTables
from ..tables.database import row_dicts
from .code_line import CodeLine
from .fit_key import FitKey, key_columns, key_of, process_columns

HookLines = Mapping[tuple[str, str], CodeLine]
"""The lines of a fit's hooks, by the names of the callback's class and of the hook."""


def hook_lines(trace: TraceTables, which: str = "true") -> dict[FitKey, HookLines]:
    """The lines where hooks are defined, for the fits of `trace`. Older traces have none.

    `which` is SQL that selects fits by `run`, `process` and `fit`.
    """
    keys = {"keys": key_columns(trace), "process": process_columns(trace)}
    lines: dict[FitKey, dict[tuple[str, str], CodeLine]] = defaultdict(dict)
    for row in row_dicts(trace.relation(_LINES.format(**keys, which=which))):
        lines[key_of(row)][row["callback"], row["hook"]] = CodeLine(row["file"], int(row["line"]))
    return dict(lines)


# The settings are recorded with the span of the list's hook; the callbacks' spans are inside it. A class that is in a
# list twice has the same code, so any of its lines will do. Keras' default for the hooks of training batches calls the
# older name, which the class may define.
_LINES = r"""
    WITH settings AS (
        SELECT {keys}, span, key, value, text,
            CAST(regexp_extract(key, '^callbacks\[(\d{{1,9}})\]', 1) AS INTEGER) AS position,
            regexp_extract(key, '\.(on_\w+)\.', 1) AS hook
        FROM values WHERE ({which}) AND regexp_matches(key, '^callbacks\[\d{{1,9}}\]\.on_\w+\.(file|line)$')
    ), lines AS (
        SELECT {keys}, span, position, hook, max(text) AS file, max(value) AS line
        FROM settings GROUP BY ALL HAVING max(text) IS NOT NULL AND isfinite(max(value))
    ), called AS (
        SELECT {process}, parent AS span, position, callback FROM spans
        WHERE callback IS NOT NULL AND ({which})
    )
    SELECT {keys}, callback, unnest(hooks) AS hook, file, line FROM (
        SELECT {keys}, callback, min(file) AS file, min(line) AS line,
            CASE WHEN hook LIKE 'on_batch_%' THEN [hook, replace(hook, 'on_', 'on_train_')] ELSE [hook] END AS hooks
        FROM lines JOIN called USING ({process}, span, position) GROUP BY ALL
    ) ORDER BY ALL
"""
