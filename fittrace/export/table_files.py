"""The tables of a trace as CSV or Parquet files, one for each table."""

from __future__ import annotations

from pathlib import Path

from ..tables import TraceTables
from ..tables.computed_tables import VIEWS
from ..tables.database import reading
from ..views import row_formats


def write(trace: TraceTables, folder: Path, form: str) -> list[Path]:
    """Write every table into a folder. Returns the paths of the files. Rows are sorted by time.

    - `trace`: the trace.
    - `folder`: the folder; it is made if it does not exist.
    - `form`: `csv` or `parquet`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, view in VIEWS.items():
        order = ", ".join(key for key in view.order if key != "run" or trace.is_folder)
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
