"""Constants of rewritten code, which `marshal` and `pickle` write as empty bytes.

A program may send a rewritten function to another process, as joblib, Dask, Ray and Spark do, and with it the constants
of its code. They arrive as `b""`. By that the code knows that it runs elsewhere, and does what it did before it was
rewritten (`main_thread`).
"""

from __future__ import annotations

from typing import Any


class Constant(bytearray):
    """`marshal` writes an object that has a buffer as the bytes in it, and here are none. All else is `object`'s."""

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return bytes, ()
