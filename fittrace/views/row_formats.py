"""Rows as CSV, JSON and Parquet. They are written batch by batch, so that a table may be larger than memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.safe_text import printable
from ..tables.data_frames import frame
from ..tables.query_errors import QueryError
from .json_values import json_value

_NEVER_IN_TEXT = "\udfff"
"""The escape character of CSV, which no UTF-8 text has. Python 3.10 cannot write a NUL without one."""


def csv_pieces(pieces: pa.RecordBatchReader) -> Iterator[str]:
    """The rows as CSV with a header. Lists and dicts are written as JSON. A missing value is empty."""
    yield pd.DataFrame(columns=pieces.schema.names).to_csv(index=False, lineterminator="\n", escapechar=_NEVER_IN_TEXT)
    for rows in _frames(pieces):
        columns = (rows.iloc[:, number] for number in range(len(rows.columns)))
        texts = {number: c.map(_as_json) if c.dtype == object else c for number, c in enumerate(columns)}
        yield pd.DataFrame(texts).to_csv(index=False, header=False, lineterminator="\n", escapechar=_NEVER_IN_TEXT)


def json_pieces(pieces: pa.RecordBatchReader) -> Iterator[str]:
    """The rows as one JSON list, with an object for each row on a line of its own."""
    separator = "[\n"
    for rows in _frames(pieces):
        names = [str(name) for name in rows.columns]
        for row in zip(*(rows.iloc[:, number] for number in range(len(names))), strict=True):
            yield separator + json.dumps(dict(zip(names, map(json_value, row), strict=True)))
            separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def write_parquet(pieces: pa.RecordBatchReader, file: IO[bytes]) -> None:
    """Write all `pieces` to `file` as Parquet. Raises `QueryError` where Parquet has no type for a column."""
    try:
        with pq.ParquetWriter(file, pieces.schema, compression="zstd") as writer:
            for piece in pieces:
                writer.write_batch(piece)
    except pa.ArrowNotImplementedError as error:
        reason = printable(str(error).split("\n")[0])
        raise QueryError(
            f"SQL: Parquet cannot hold a column ({reason}); select it as text, with CAST(... AS VARCHAR)"
        ) from None


def _frames(pieces: pa.RecordBatchReader) -> Iterator[pd.DataFrame]:
    return (frame(pa.Table.from_batches([piece])) for piece in pieces)


def _as_json(value: object) -> object:
    value = json_value(value)
    return json.dumps(value) if isinstance(value, (dict, list)) else value
