"""Packs the data of a page: JSON and typed arrays, compressed, as one text of base64.

The packed bytes, before gzip, are:

1. The length of the JSON in bytes, a little-endian uint32.
2. The JSON, in UTF-8. An array in it is `{"$array": [type, offset, length]}`, with the type as NumPy names it, and the
   offset in bytes from the beginning of part 3. A number that JSON does not have is `{"$number": "NaN"}`.
3. The arrays, little-endian, each at an offset that is a multiple of 8.

`page/unpack.js` reads it. Base64 has no character that HTML gives a meaning, so nothing of a trace can become markup.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..schema.safe_text import printable

_TYPES = frozenset(["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
"""The types of arrays that a browser has. 64-bit integers are no such type: times are given as float64."""

_ALIGNMENT = 8


def pack(document: Any) -> str:
    """A document as base64.

    `document` is made of dataclasses, mappings, sequences, texts, numbers, booleans, None and NumPy arrays of `_TYPES`.
    Control characters in its texts, and those that change the direction of writing, become escape sequences.
    Raises `TypeError` if it has anything else.

    >>> import numpy as np
    >>> unpacked(pack({"loss": [0.5, float("nan")], "times": np.array([1.0, 2.0])}))
    {'loss': [0.5, {'$number': 'NaN'}], 'times': {'$array': ['float64', 0, 2]}}
    """
    arrays = bytearray()
    text = json.dumps(_plain(document, arrays), allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % _ALIGNMENT)
    whole = len(text).to_bytes(4, "little") + text + arrays
    # Without a time in it, equal documents give equal texts.
    return base64.b64encode(gzip.compress(whole, compresslevel=9, mtime=0)).decode()


def unpacked(packed: str) -> Any:
    """The JSON of a packed document, without its arrays."""
    whole = gzip.decompress(base64.b64decode(packed))
    return json.loads(whole[4 : 4 + int.from_bytes(whole[:4], "little")])


def _plain(value: Any, arrays: bytearray) -> Any:
    """`value` as JSON has it. Appends its arrays to `arrays`."""
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$number": _number_name(value)}
    if isinstance(value, np.ndarray):
        return {"$array": _append(value, arrays)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item(), arrays)
    raise TypeError(f"a report cannot hold {type(value).__name__}; give it as plain data")


def _number_name(value: float) -> str:
    """A number that is not finite, as JavaScript's `Number` reads it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _append(array: np.ndarray[Any, Any], arrays: bytearray) -> list[Any]:
    if array.dtype.name not in _TYPES or array.ndim != 1:
        raise TypeError(f"a report cannot hold an array of {array.dtype} with {array.ndim} dimensions")
    arrays += b"\0" * (-len(arrays) % _ALIGNMENT)
    offset = len(arrays)
    arrays += np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return [array.dtype.name, offset, len(array)]
