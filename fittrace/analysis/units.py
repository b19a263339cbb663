"""Numbers as text, with units, as findings and views write them. Tables keep plain nanoseconds and counts."""

from __future__ import annotations

from datetime import datetime

_STEPS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"))
"""Units of time: nanoseconds in the unit, and its symbol."""


def duration(ns: float) -> str:
    """A duration in a fitting unit, with three significant digits.

    >>> duration(480), duration(1_230_000), duration(-9_990_000_000)
    ('480 ns', '1.23 ms', '-9.99 s')
    >>> duration(123e9), duration(7_380e9)
    ('2 min 03 s', '2 h 03 min')
    """
    seconds = round(abs(ns) / 1e9)
    sign = "-" if ns < 0 else ""
    if seconds >= 3600:
        return f"{sign}{seconds // 3600:,} h {seconds % 3600 // 60:02} min"
    if seconds >= 100:
        return f"{sign}{seconds // 60} min {seconds % 60:02} s"
    for size, unit in _STEPS:
        # A number that would be rounded to 1000 is shown in the next larger unit.
        if abs(ns) >= 0.9995 * size:
            return f"{sign}{_three_digits(abs(ns) / size)} {unit}"
    return "0 ns" if ns == 0 else f"{sign}{_three_digits(abs(ns))} ns"


def byte_size(size: float) -> str:
    """A number of bytes in a fitting unit, with three significant digits.

    >>> byte_size(512), byte_size(1_230_000), byte_size(24e9)
    ('512 bytes', '1.23 MB', '24 GB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= 0.9995 * unit:
            return f"{_three_digits(size / unit)} {name}"
    return f"{size:.0f} bytes"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent.

    >>> share(1, 8), share(0, 0)
    ('12.5 %', '–')
    """
    return f"{100 * part / whole:.1f} %" if whole else "–"


def count(number: int) -> str:
    """A number with thousands separators.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{number:,}"


def amount(number: int, singular: str, plural: str) -> str:
    """A count with its noun, singular or plural.

    >>> amount(1, "batch", "batches"), amount(2000, "batch", "batches")
    ('1 batch', '2,000 batches')
    """
    return f"{count(number)} {singular if number == 1 else plural}"


def epoch_and_batch(epoch: int | None, batch: int | None) -> list[str]:
    """An epoch and a batch in words. What is None is left out.

    >>> epoch_and_batch(0, 5), epoch_and_batch(2, None)
    (['epoch 0', 'batch 5'], ['epoch 2'])
    """
    numbers = (("epoch", epoch), ("batch", batch))
    return [f"{unit} {number}" for unit, number in numbers if number is not None]


def moment(ns: int) -> str:
    """A time in Unix nanoseconds as local date and time, or as a number if it is out of the calendar's range."""
    try:
        return datetime.fromtimestamp(ns / 1e9).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{ns} ns"


def _three_digits(number: float) -> str:
    decimals = 2 if number < 9.995 else 1 if number < 99.95 else 0
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals and float(text) == int(float(text)) else text
