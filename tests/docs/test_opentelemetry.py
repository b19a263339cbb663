"""docs/opentelemetry.md has the names and the defaults that the code has."""

from __future__ import annotations

from pathlib import Path

import pytest
from made import otel_tables

from fittrace.otel.metrics.measurements import SHARE
from fittrace.schema import otel_names, sent_spans
from fittrace.schema.sent_batches import DEFAULT

TEXT = (Path(__file__).parents[2] / otel_tables.PAGE).read_text(encoding="utf-8")


def test_its_tables_are_current() -> None:
    assert otel_tables.with_tables(TEXT) == TEXT, "make them anew with scripts/otel-doc"


@pytest.mark.parametrize(
    "said",
    [
        f"The default level is `{sent_spans.DEFAULT_LEVEL}`.",
        f"By default, `{DEFAULT}` of the batches are sent",
        f"can be measured in {SHARE:.0%} of the",
        f"instrumentation scope `{otel_names.SCOPE}`",
        f"<{otel_names.SCHEMA_URL}>",
        f"under the key `{otel_names.TRACEPARENT}`",
    ],
)
def test_its_prose_says_what_the_code_does(said: str) -> None:
    assert said in TEXT
