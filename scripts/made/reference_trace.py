"""Makes the reference traces: a run of the example on each engine, with nothing in it of the machine that ran it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fittrace.schema import run_facts as schema_run
from fittrace.schema.batches_to_sample import SUGGESTED
from fittrace.schema.tables import TABLES
from fittrace.store.parquet.partition_writer import PartitionWriter
from fittrace.store.parquet.row_buffers import RUN
from fittrace.store.run_files import RunFiles

from .places import EXAMPLE, TRACES

LEGACY = Path(".venv-keras2")


@dataclass(frozen=True)
class Reference:
    """The reference trace of an `engine`: the environment whose Python runs the example, and the example's argument."""

    engine: str
    python: Path
    argument: str

    @property
    def trace(self) -> Path:
        """Where it lies."""
        return TRACES / f"reference-{self.engine}"


REFERENCES = (
    Reference("keras-2.2", LEGACY, "keras"),
    Reference("tf-keras-v1", Path(sys.prefix), "tf_keras-v1"),
    Reference("tf-keras", Path(sys.prefix), "tf_keras"),
    Reference("keras-3", Path(sys.prefix), "keras"),
)
PREFIXES = tuple(
    f"{path}/"
    for path in (
        sysconfig.get_path("purelib"),
        *(path.absolute() for path in LEGACY.glob("lib/python*/site-packages")),
        Path.cwd(),
    )
)
"""What paths begin with here and nowhere else; the longer ones first."""


def main() -> None:
    for reference in REFERENCES:
        with tempfile.TemporaryDirectory() as folder:
            record(reference, Path(folder))
            made = Path(folder) / reference.trace.name
            strip(made, reference)
            shutil.rmtree(reference.trace, ignore_errors=True)
            shutil.copytree(made, reference.trace)
        size = sum(file.stat().st_size for file in reference.trace.rglob("*") if file.is_file())
        print(f"{reference.trace}: {size:,} bytes")


def record(reference: Reference, folder: Path) -> None:
    """Run the example under capture; its trace lies under `folder` then."""
    place = ["--out", str(folder), "--name", reference.trace.name, "--python", str(reference.python)]
    options = ["--quiet", "--run-metadata", SUGGESTED]
    command = [sys.executable, "-m", "fittrace", "run", *options, *place, str(EXAMPLE), reference.argument]
    subprocess.run(command, check=True)


def strip(run: Path, reference: Reference) -> None:
    """Take the facts of this machine out of the trace at `run`; what it says of the training stays."""
    argv = [str(EXAMPLE), reference.argument]
    facts = schema_run.read(str(run))
    facts |= {"argv": argv, "python": "python", "cwd": ".", "host": "localhost"}
    schema_run.write(str(run), facts)
    files = RunFiles(run, facts, run, running=False)
    for process in files.parts("processes"):
        tables = {name: rows(files.parts(name)[process]) for name in TABLES}
        tables["processes"] |= {
            "pid": [process + 1],
            "parent_pid": [0],
            "host": ["localhost"],
            "executable": ["python"],
            "argv": [json.dumps(argv)],
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
