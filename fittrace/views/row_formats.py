"""Rows in the formats that other programs read: CSV, JSON and Parquet, piece by piece, so that any size goes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.safe_text import printable
from ..tables.query_errors import QueryError
from .terminal_table import plain


def csv_pieces(frames: Iterable[pd.DataFrame], names: Sequence[str]) -> Iterator[str]:
    """CSV with the columns' `names` as its header; lists and dicts are JSON, and what is missing is empty."""
    yield pd.DataFrame(columns=list(names)).to_csv(index=False, lineterminator="\n")
    for frame in frames:
        columns = (frame.iloc[:, number] for number in range(len(names)))
        texts = {number: c.map(_as_json) if c.dtype == object else c for number, c in enumerate(columns)}
        yield pd.DataFrame(texts).to_csv(index=False, header=False, lineterminator="\n")


def json_pieces(frames: Iterable[pd.DataFrame]) -> Iterator[str]:
    """One JSON list with an object for each row, one a line."""
    separator = "[\n"
    for frame in frames:
        names = [str(name) for name in frame.columns]
        for row in zip(*(frame.iloc[:, number] for number in range(len(names))), strict=True):
            yield separator + json.dumps(dict(zip(names, map(plain, row), strict=True)))
            separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"


def write_parquet(pieces: pa.RecordBatchReader, file: IO[bytes]) -> None:
    """Write all `pieces` to `file` as Parquet. Raises `QueryError` where Parquet has no type for a column."""
    try:
        with pq.ParquetWriter(file, pieces.schema, compression="zstd") as writer:
            for piece in pieces:
                writer.write_batch(piece)
    except pa.ArrowNotImplementedError as error:
        told = printable(str(error).split("\n")[0])
        raise QueryError(
            f"SQL: Parquet cannot hold a column ({told}); select it as text, with CAST(... AS VARCHAR)"
        ) from None


def _as_json(value: object) -> object:
    value = plain(value)
    return json.dumps(value) if isinstance(value, (dict, list)) else value
