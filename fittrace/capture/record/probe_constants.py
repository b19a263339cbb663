"""Constants of rewritten code: objects that `marshal` and `pickle` write as empty bytes.

A program may send a rewritten function to another process, as joblib, Dask, Ray and Spark do. Its code is sent with its
constants, and fittrace's objects must not go along. They arrive as `b""`, and there the code does what it did before it
was rewritten (see `main_thread`).
"""

from __future__ import annotations

from typing import Any


class Constant(bytearray):
    """An object that may be a constant of rewritten code.

    It is a `bytearray` without bytes, since `marshal` writes an object that has a buffer as the bytes in it. It is
    compared and hashed by identity, as any object is.
    """

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return bytes, ()
