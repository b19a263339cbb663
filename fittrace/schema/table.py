"""What a table is, and the columns that many tables have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its `name`, Arrow `type` (as `pyarrow.type_for_alias` spells it, `dictionary` for repeated text, or
    `list<...>` of such a type), its `meaning`, and whether it is `nullable`.

    >>> Column("fit", "int32", "number of the fit in its process").nullable
    False
    """

    name: str
    type: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its `name`, what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]


FIT = Column("fit", "int32", "number of the fit in its process, from 0")
STAGE = Column("stage", "dictionary", "`train`, `test` or `predict`")
EPOCH = Column("epoch", "int64", "epoch as Keras counts it; null outside the epoch loop", nullable=True)
BATCH = Column("batch", "int64", "first batch number of the step, as Keras counts it; null outside", nullable=True)
