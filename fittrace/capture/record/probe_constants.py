"""Constants of rewritten code: objects that `marshal` and `pickle` take for no bytes.

A program may send a function that is rewritten to another process, as joblib, Dask, Ray and Spark do. What is sent then
are the constants of its code too. They arrive as `b""`, which tells the code to do what it did before it was rewritten
(`owner`).
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
