"""The bench measures what its page tells of."""

from __future__ import annotations

from pathlib import Path

from benchmarks import span


def test_of_one_recorded_span_everything_is_measured() -> None:
    rows = span.measure(quick=True)
    page = Path("docs/performance.md").read_text(encoding="utf-8")
    assert [row.what for row in rows if f"| {row.what} |" not in page] == []
    assert all(row.median > 0 for row in rows)
