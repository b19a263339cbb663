"""The rule that gives a batch its samples is one: the derivation's, with arrays, is that of the schema."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fittrace.schema.batch_sizes import samples_between
from fittrace.schema.journal_format import ABSENT
from fittrace.store.derive import batches

numbers = st.one_of(st.integers(0, 40), st.just(ABSENT))
loops = st.tuples(st.integers(0, 12), st.integers(0, 4), numbers, numbers, numbers, numbers)
"""The first batch of a turn, how many more it has, and the operands of a `sizes` record."""


@given(st.lists(loops, min_size=1, max_size=30))
def test_arrays_give_what_the_schema_says(rows: list[tuple[int, ...]]) -> None:
    first, more, *sizes = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    wanted = [samples_between(row[0], row[0] + row[1], row[2:]) for row in rows]
    found = batches.samples_between(first, first + more, sizes)
    assert found.tolist() == [-1 if samples is None else samples for samples in wanted]
