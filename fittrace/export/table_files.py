"""The tables of a trace as files, one for each table, for what reads CSV or Parquet."""

from __future__ import annotations

from pathlib import Path

from ..tables import TraceTables
from ..tables.database import reading
from ..tables.derived_tables import VIEWS
from ..views import row_formats


def write(trace: TraceTables, folder: Path, form: str) -> list[Path]:
    """Write every table into `folder` as `csv` or `parquet`; the files. Rows are in the order of time."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, view in VIEWS.items():
        columns = trace.relation(f"SELECT * FROM {name} LIMIT 0").columns
        order = ", ".join(key for key in view.order if key in columns)
        file = folder / f"{name}.{form}"
        with reading(trace.relation(f"SELECT * FROM {name} ORDER BY {order}")) as pieces:
            if form == "parquet":
                with file.open("wb") as binary:
                    row_formats.write_parquet(pieces, binary)
            else:
                with file.open("w", encoding="utf-8", newline="") as text:
                    text.writelines(row_formats.csv_pieces(pieces))
        files.append(file)
    return files
