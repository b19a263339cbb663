"""Ways to make a healthy run hostile. Each takes the run's folder, and changes what lies in it as a stranger could.

What is checked by a checksum gets the right one afterwards: a stranger can compute it too.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from fittrace.schema import journal_format as form
from fittrace.schema import run_facts as schema_run
from fittrace.store import part_names
from fittrace.store.journal.blocks import BlockReader, Damage

from . import poison

_DEFINED = ("site", "thread", "text", "keys", "class", "function", "source", "engine", "note", "dropped", "closed", "x")
_FIELDS = (
    "site", "kind", "phases", "names", "stage", "file", "function", "line", "engine", "depth", "hook", "counts",
    "thread", "name", "text", "value", "keys", "kinds", "class", "module", "version", "message", "detail", "nodes",
    "source", "root", "level",
)  # fmt: skip

Mutation = Callable[[Random, Path, Path], None]
"""Called with the chance, the run's folder, and a folder outside of it that must stay as it is."""


def links(random: Random, run: Path, outside: Path) -> None:
    """Something of the run is a link that leads out of it, or a file that never ends."""
    victim = random.choice(sorted(run.rglob("*")))
    relative = victim.relative_to(run)
    _remove(victim)
    how = random.randrange(6)
    if how == 0:
        os.mkfifo(victim)
    elif how == 1:
        victim.symlink_to(random.choice(poison.BAIT))
    elif how == 2:
        victim.symlink_to(random.choice((victim.name, "..", "/", ".")))
    elif how == 3:
        victim.symlink_to(outside / "secret.txt")
    else:
        target = outside / "neighbour" / relative
        victim.symlink_to(target if target.exists() else outside / "neighbour")


def new_links(random: Random, run: Path, outside: Path) -> None:
    """Names that fittrace itself would make are there already, as links that lead out of the run."""
    names = (".process=0", "journal", "journal/1-1-1.journal", "run.json.new", ".lock", "spans/process=1", "converted")
    link = run / random.choice(names)
    # An earlier mutation may have put something else in the folder's place, such as a pipe.
    has_room = link.parent.is_dir() or not link.parent.exists()
    if has_room and not link.exists() and not link.is_symlink() and not link.parent.is_symlink():
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(outside / random.choice(("written", "neighbour", "neighbour/spans", "secret.txt")))


def names(random: Random, run: Path, outside: Path) -> None:
    """Folders and files with odd names, or names of other runs and numbers."""
    odd = (b"process=01", b"process=-1", "process=٣".encode(), b"process=" + b"9" * 30, b"process=\xff", b"process=1\n",
           b"process=\x1b[31m", b"part-0-00000000.parquet", b"part-" + b"9" * 40 + b"-00000000.parquet",
           "part-٣-00000000.parquet".encode(), b"\xff\xfe.journal", b"x" * 200)  # fmt: skip
    folder = os.fsencode(
        random.choice([run, *(one for one in run.rglob("*") if one.is_dir() and not one.is_symlink())])
    )
    new = os.path.join(folder, random.choice(odd))
    if os.path.lexists(new):
        return
    if random.random() < 0.5:
        os.mkdir(new)
    else:
        files = [one for one in run.rglob("*") if one.is_file() and not one.is_symlink()]
        shutil.copyfile(random.choice(files), new)


def many_names(random: Random, run: Path, outside: Path) -> None:
    """More processes than any run has."""
    table = random.choice(["spans", "fits", "notes", "batches"])
    if (run / table).is_symlink():
        return
    for number in range(random.randrange(1, 60)):
        (run / table / f"process={number * 7919}").mkdir(parents=True, exist_ok=True)


def facts(random: Random, run: Path, outside: Path) -> None:
    """`run.json` says something else."""
    path = run / schema_run.FILE
    if path.is_symlink() or not path.is_file():
        return
    how = random.randrange(8)
    try:
        told = json.loads(path.read_text())
        assert isinstance(told, dict)
    except (ValueError, AssertionError, RecursionError):
        return
    if how == 0:
        told["run"] = poison.leading_elsewhere(random, outside)
    elif how == 1:
        path.write_text(random.choice(("[" * 100_000, "{}", "7", "", "nul", '{"schema": 1' + "0" * 5000 + "}")))
        return
    elif how == 2:
        told["argv"] = ["-m", "timeit", poison.text(random, outside)]
    elif how == 3:
        told["argv"] = [poison.anything(random, outside) for _ in range(3)]
    else:
        for _ in range(random.randrange(1, 4)):
            # An earlier mutation may have left no fact at all.
            told[random.choice(sorted(told) or ["run"])] = poison.anything(random, outside)
        told["schema"] = told.get("schema") if random.random() < 0.1 else 1
    path.write_text(json.dumps(told))


def parquet(random: Random, run: Path, outside: Path) -> None:
    """A table holds other values, or has other columns, types or rows."""
    files = [one for one in run.rglob("part-*.parquet") if one.is_file() and not one.is_symlink()]
    if not files:
        return
    file = random.choice(files)
    try:
        table = pq.ParquetFile(file).read()
    except (OSError, pa.ArrowException):
        return
    if not table.num_columns:
        return
    how = random.randrange(10)
    at = random.randrange(table.num_columns)
    name = table.column_names[at]
    try:
        if how < 5:
            for _ in range(random.randrange(1, 5)):
                at = random.randrange(table.num_columns)
                table = _other_values(random, table, at, outside)
        elif how == 5:
            table = table.remove_column(at)
        elif how == 6:
            kind = random.choice([pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string()), pa.binary(), pa.null()])
            table = table.set_column(at, name, pa.nulls(table.num_rows, kind))
        elif how == 7:
            table = table.append_column(poison.text(random, outside), pa.array([0] * table.num_rows))
        elif how == 8:
            table = table.slice(random.randrange(table.num_rows + 1))
        else:
            table = pa.concat_tables([table] * random.randrange(2, 4))
        pq.write_table(table, file)
    except (pa.ArrowException, ValueError, OverflowError, UnicodeEncodeError):
        return
    _sealed(file)


def parquet_bytes(random: Random, run: Path, outside: Path) -> None:
    """A file of a table is no whole Parquet any more, and its checksum is right."""
    files = [one for one in run.rglob("part-*.parquet") if one.is_file() and not one.is_symlink()]
    if not files:
        return
    file = random.choice(files)
    data = bytearray(file.read_bytes())
    if not data:
        return
    if random.random() < 0.2:
        del data[random.randrange(len(data)) :]
    # The footer says how much there is of everything.
    start = max(0, len(data) - 600) if random.random() < 0.7 else 0
    for _ in range(random.choice((1, 1, 4, 20))):
        if data:
            data[random.randrange(min(start, len(data) - 1), len(data))] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
    file.write_bytes(data)
    _sealed(file)


def journal(random: Random, run: Path, outside: Path) -> None:
    """Blocks of a journal are others, with the right checksum; what they hold can be nested, huge or nonsense."""
    for path in _journals(run):
        blocks = _blocks(path)
        for _ in range(random.randrange(1, 6)):
            at = random.randrange(len(blocks) + 1)
            how = random.randrange(9)
            if how < 3 and blocks:
                kind, payload = blocks[at % len(blocks)]
                blocks[at % len(blocks)] = kind, _other_bytes(random, payload)
            elif how == 3 and blocks:
                del blocks[at % len(blocks)]
            elif how == 4 and blocks:
                blocks.insert(at, random.choice(blocks))
            elif how == 5:
                blocks.insert(at, (form.BlockKind.DEFINE, _definition(random, outside)))
            elif how == 6:
                records = random.choice((b"\x00", b"\xff", b"\x04\x15" * 3, random.randbytes(3))) * random.randrange(
                    3000
                )
                blocks.insert(at, (form.BlockKind.PACKED, form.EVENTS_HEAD.pack(random.randrange(3), at) + records))
            elif how == 7:
                bomb = zlib.compress(bytes(random.choice((1 << 10, 1 << 26))), 9)
                head, kind = random.choice(
                    (
                        (form.EVENTS_HEAD.pack(random.randrange(99), 0), form.BlockKind.EVENTS),
                        (form.ORDER_HEAD.pack(0, 1 << random.randrange(60), random.randrange(9)), form.BlockKind.ORDER),
                        (form.METADATA_HEAD.pack(0, random.randrange(4), 0, 0), form.BlockKind.METADATA),
                    )
                )
                blocks.insert(at, (kind, head + bomb))
            else:
                blocks.insert(at, (form.BlockKind.PACKED, form.MARKER * random.randrange(3000)))
        data = form.MAGIC + b"".join(form.block(kind, payload) for kind, payload in blocks)
        path.write_bytes(data if random.random() < 0.8 else data[: random.randrange(len(data))])


def protobuf(random: Random, run: Path, outside: Path) -> None:
    """What TensorFlow told of a batch is something else."""
    for path in _journals(run):
        blocks = _blocks(path)
        for at, (kind, payload) in enumerate(blocks):
            if kind == form.BlockKind.METADATA:
                head, packed = payload[: form.METADATA_HEAD.size], payload[form.METADATA_HEAD.size :]
                try:
                    blocks[at] = kind, head + zlib.compress(_other_bytes(random, zlib.decompress(packed)))
                except zlib.error:
                    continue  # an earlier mutation changed the packed bytes
        path.write_bytes(form.MAGIC + b"".join(form.block(kind, payload) for kind, payload in blocks))


MUTATIONS: tuple[Mutation, ...] = (
    links, new_links, names, many_names, facts, parquet, parquet, parquet_bytes, journal, journal, protobuf
)  # fmt: skip


def mutate(random: Random, run: Path, outside: Path) -> list[str]:
    """Make the run hostile in one way or in several; the names of the ways."""
    chosen = [random.choice(MUTATIONS) for _ in range(random.choice((1, 1, 2, 4)))]
    for mutation in chosen:
        mutation(random, run, outside)
    return [mutation.__name__ for mutation in chosen]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sealed(file: Path) -> None:
    """Give a changed file the name that its bytes ask for."""
    number = part_names.PART.fullmatch(file.name)
    if number is not None:
        file.rename(file.with_name(f"part-{number['number']}-{part_names.of_file(file)}.parquet"))


def _other_values(random: Random, table: pa.Table, at: int, outside: Path) -> pa.Table:
    """`table` with some values of a column replaced by others of its type."""
    field = table.schema.field(at)
    values = table.column(at).to_pylist()
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    share = random.choice((0.02, 0.3, 1.0))
    for row in range(len(values)):
        if random.random() < share:
            values[row] = _value(random, kind, values[row], outside)
    return table.set_column(at, field.name, pa.array(values, kind))


def _value(random: Random, kind: pa.DataType, value: object, outside: Path) -> object:
    if random.random() < 0.05:
        return None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return poison.text(random, outside).encode("utf-8", "replace").decode()
    if pa.types.is_integer(kind):
        low = 0 if pa.types.is_unsigned_integer(kind) else -(2 ** (kind.bit_width - 1))
        high = 2 ** (kind.bit_width - (low < 0)) - 1
        return min(max(poison.number(random), low), high)
    if pa.types.is_floating(kind):
        return poison.real(random)
    if pa.types.is_boolean(kind):
        return random.random() < 0.5
    if pa.types.is_binary(kind) and isinstance(value, bytes):
        return bytes(_other_bytes(random, value))
    return value


def _other_bytes(random: Random, payload: bytes) -> bytes:
    data = bytearray(payload)
    for _ in range(random.choice((1, 1, 3, 20))):
        if data:
            how = random.randrange(4)
            at = random.randrange(len(data))
            if how == 0:
                data[at] = random.randrange(256)
            elif how == 1:
                data[at] ^= 1 << random.randrange(8)
            elif how == 2:
                del data[at : at + random.randrange(1, 20)]
            else:
                data[at:at] = data[at : at + random.randrange(1, 200)] * random.choice((1, 2, 50))
    return bytes(data)


def _definition(random: Random, outside: Path) -> bytes:
    told: dict[str, object] = {"define": random.choice(_DEFINED)}
    for field in random.sample(_FIELDS, random.randrange(1, 9)):
        told[field] = random.choice((random.randrange(9), poison.anything(random, outside), ["fit"], "fit"))
    return json.dumps(told).encode() if random.random() < 0.95 else b"[" * 100_000


def _journals(run: Path) -> list[Path]:
    folder = run / "journal"
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [one for one in folder.glob("*.journal") if one.is_file() and not one.is_symlink()]


def _blocks(path: Path) -> list[tuple[int, bytes]]:
    with path.open("rb") as file:
        return list(BlockReader(Damage()).blocks(file))
