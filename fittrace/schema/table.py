"""The classes that describe tables, and the columns that many tables share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table.

    - `name`: its name.
    - `type`: its Arrow type as `pyarrow.type_for_alias` spells it, `dictionary` for repeated text, or `list<...>`.
    - `meaning`: its meaning, for `docs/schema.md`.
    - `nullable`: whether it may be null.

    >>> Column("fit", "int32", "number of the fit in its process").nullable
    False
    """

    name: str
    type: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a trace.

    - `name`: its name.
    - `row`: what one row is, for `docs/schema.md`.
    - `columns`: its columns in order.
    """

    name: str
    row: str
    columns: tuple[Column, ...]


FIT = Column("fit", "int32", "number of the fit in its process, from 0")
STAGE = Column("stage", "dictionary", "`train`, `test` or `predict`")
EPOCH = Column("epoch", "int64", "epoch as Keras counts it; null outside the epoch loop", nullable=True)
BATCH = Column("batch", "int64", "first batch number of the step, as Keras counts it; null outside", nullable=True)
