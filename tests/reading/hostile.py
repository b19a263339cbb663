"""A run from a stranger: every text in it has everything that a surface could obey.

It is made from a reference trace, so that all commands have something to show of it.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from fittrace.schema import run_facts as schema_run
from fittrace.schema.tables import TABLES
from fittrace.store.parquet.partition_writer import PartitionWriter

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"
READABLE = "größe日本😀"
HARMFUL = {
    "C0": "\x00\x07\b\t\n\v\f\r\x1b\x7f",
    "CSI": "\x1b[31m\x1b[2J\x1b[1;1H",
    "OSC 8": "\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x07",
    "OSC 52": "\x1b]52;c;ZXZpbA==\x07",
    "C1": "\x80\x85\x9b31m\x9d0;title\x9c",
    "bidi": "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff\u180e\u00ad",
    "separators": "\u2028\u2029",
    "tags": "\U000e0001\U000e0041",
}
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;[red]red[/red][link=http://evil.example]`|**_"
CODE = '=HYPERLINK("http://evil.example")"""\'\'\';DROP TABLE fits;--{{7*7}}\\'
POISON = READABLE + "".join(HARMFUL.values()) + MARKUP + CODE
CLOSED = ("stage", "phase", "status", "method", "hook", "kind", "value", "opens", "source", "calls", "ending")
"""Columns whose texts are of a closed set, or refer to others: poisoned only where `everything` is."""
COMMAND_LINE = json.dumps([POISON, "-m", POISON])


def harmful(text: str) -> set[str]:
    """The characters in `text` that no surface may show as they are."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


def make(directory: Path, everything: bool = False) -> Path:
    """The folder of the run under `directory`."""
    name = f"run {POISON}"
    folder = directory / "hostile"
    folder.mkdir(parents=True)
    facts = schema_run.new(str(folder), name, [POISON, "-m", POISON], POISON, POISON)
    schema_run.end(str(folder), facts | {"host": POISON, "cwd": POISON, "platform": POISON}, exit_code=3, signal=None)
    with PartitionWriter(folder, name, 0) as writer:
        for table in TABLES.values():
            rows = ds.dataset(REFERENCE / table.name, format="parquet").to_table()
            columns = {
                column: _poisoned(rows[column], column, everything)
                for column in rows.column_names
                if column not in ("run", "process")
            }
            if table.name == "batches":
                columns[f"logs.{POISON}"] = columns["logs.loss"]
            if rows.num_rows:
                writer.append(table.name, columns)
        writer.append("notes", {"kind": [POISON], "message": [POISON]})
    return folder


def _poisoned(column: pa.ChunkedArray, name: str, everything: bool) -> pa.Array:
    array = column.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(pa.string())
    if name in CLOSED and not everything:
        return array
    if name == "argv":
        return pa.array([COMMAND_LINE] * len(array), pa.string())
    if pa.types.is_string(array.type):
        # A source keeps its lines.
        poison = POISON.replace("\n", "") if name == "text" else POISON
        texts = [text and "\n".join(f"{line}{poison}" for line in text.split("\n")) for text in array.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_list(array.type) and pa.types.is_string(array.type.value_type):
        lists = [None if one is None else [f"{text}{POISON}" for text in one] for one in array.to_pylist()]
        return pa.array(lists, array.type)
    return array
