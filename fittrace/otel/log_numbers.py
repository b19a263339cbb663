"""The numbers in a record of logs."""

from __future__ import annotations

from typing import Iterator, Sequence

from ..capture.record.kept_values import of_halves


def numbers(record: Sequence[int], keys: Sequence[str], kinds: str) -> "Iterator[tuple[str, float]]":
    """The keys and values of a `state` record that are numbers; `kinds` say how each is kept.

    >>> list(numbers((-1, 0, 0, 1072693248, 7, 3), ("loss", "note", "batch"), "nti"))
    [('loss', 1.0), ('batch', 3.0)]
    """
    position = 2
    for key, kind in zip(keys, kinds):
        if kind == "n":
            yield key, of_halves(record[position], record[position + 1])
            position += 2
        else:
            if kind == "i":
                yield key, float(record[position])
            position += 1
