"""Writes the tables of docs/opentelemetry.md anew, from fittrace/schema/otel_names.py. Its prose is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fittrace.schema import otel_names, sent_spans

PAGE = Path("docs/opentelemetry.md")
END = "<!-- end of the table -->\n"


def main() -> None:
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE}: its tables")


def with_tables(document: str) -> str:
    """`document` with each table between its markers."""
    for name, table in tables().items():
        begin = f"<!-- table: {name} -->\n"
        before, found, rest = document.partition(begin)
        _, end, after = rest.partition(END)
        if not found or not end:
            raise ValueError(f"{PAGE}: no place for the table; put a line {begin.strip()} and a line {END.strip()} in")
        document = f"{before}{begin}\n{table}\n{end}{after}"
    return document


def tables() -> dict[str, str]:
    """Each table of the page, by the name in its marker."""
    attributes = {
        **otel_names.ATTRIBUTES,
        f"{otel_names.LOGS}<key>": "a number in the logs at the end of a batch, an epoch or a fit",
    }
    return {
        "levels": _table("level", sent_spans.LEVELS),
        "spans": _table("name", otel_names.SPANS),
        "attributes of spans": _table("name", attributes),
        "metrics": _metrics(),
        "attributes of metrics": _table("name", otel_names.METRIC_ATTRIBUTES),
        "attributes of the resource": _table("name", otel_names.RESOURCE),
    }


def _table(key: str, meanings: Mapping[str, str]) -> str:
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in meanings.items())
    return f"| {key} | meaning |\n|---|---|\n{rows}"


def _metrics() -> str:
    rows = "".join(
        f"| `{name}` | {metric.kind} | {f'`{metric.unit}`' if metric.unit else ''} | {metric.meaning} |\n"
        for name, metric in otel_names.METRICS.items()
    )
    return f"| name | instrument | unit | meaning |\n|---|---|---|---|\n{rows}"


if __name__ == "__main__":
    main()
