"""Fibonacci hashing, by which some of many moments are chosen: alike in every process and wherever a trace is read."""

from __future__ import annotations


def fibonacci_hash(number: int) -> int:
    """A number from 0 up to 2**64. Those of neighbours are far apart. `native/records.c` computes the same.

    >>> fibonacci_hash(0), fibonacci_hash(1), fibonacci_hash(2)
    (0, 11400714819323198485, 4354685564936845354)
    """
    return number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
