"""Which of many moments are chosen, alike in every process and wherever a trace is read: no random number is taken."""

from __future__ import annotations


def scattered(number: int) -> int:
    """A number from 0 up to 2**64, far from those of its neighbours (Fibonacci hashing).

    >>> scattered(0), scattered(1), scattered(2)
    (0, 11400714819323198485, 4354685564936845354)
    """
    return number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
