"""Makes the reference trace: a run of the example, without what would tell of the machine that ran it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fittrace.schema import run as schema_run
from fittrace.schema.tables import TABLES
from fittrace.store.files import RunFiles
from fittrace.store.parquet import RUN, PartitionWriter

from .places import EXAMPLE, TRACE

PREFIXES = tuple(f"{path}/" for path in (sysconfig.get_path("purelib"), Path.cwd()))
"""What paths begin with here and nowhere else; the longer one first."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder))
        made = Path(folder) / TRACE.name
        strip(made)
        shutil.rmtree(TRACE, ignore_errors=True)
        shutil.copytree(made, TRACE)
    size = sum(file.stat().st_size for file in TRACE.rglob("*") if file.is_file())
    print(f"{TRACE}: {size:,} bytes")


def record(folder: Path) -> None:
    """Run the example under capture; its trace lies under `folder` then."""
    command = [sys.executable, "-m", "fittrace", "run", "--quiet", "--out", folder, "--name", TRACE.name, EXAMPLE]
    subprocess.run(command, check=True)


def strip(run: Path) -> None:
    """Take the facts of this machine out of the trace at `run`; what it says of the training stays."""
    facts = schema_run.read(str(run))
    facts |= {"argv": [str(EXAMPLE)], "python": "python", "cwd": ".", "host": "localhost"}
    schema_run.write(str(run), facts)
    files = RunFiles(run, facts, run, running=False)
    for process in files.parts("processes"):
        tables = {name: rows(files.parts(name)[process]) for name in TABLES}
        tables["processes"] |= {
            "pid": [process + 1],
            "parent_pid": [0],
            "host": ["localhost"],
            "executable": ["python"],
            "argv": [json.dumps([str(EXAMPLE)])],
        }
        with PartitionWriter(run, files.name, process) as writer:
            for name, columns in tables.items():
                writer.append(name, columns)


def rows(parts: list[Path]) -> dict[str, pa.Array | list[object]]:
    """The columns of a table that lies in the files `parts`, their texts without this machine's paths."""
    table = pa.concat_tables([pq.ParquetFile(part).read() for part in parts], promote_options="permissive")
    return {name: plain(table[name]) for name in table.column_names if name != RUN.name}


def plain(column: pa.ChunkedArray) -> pa.Array | list[object]:
    """A column without this machine's paths."""
    if not (pa.types.is_dictionary(column.type) or pa.types.is_string(column.type)):
        return column.combine_chunks()
    texts = column.to_pylist()
    for prefix in PREFIXES:
        texts = [text and text.replace(prefix, "") for text in texts]
    return texts


if __name__ == "__main__":
    main()
