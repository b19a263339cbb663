"""Values: how the trace keeps what a program logs, without running the program's code.

Numbers are kept as float64. Of anything else a short text is kept: tensors are never converted, since that may wait
for a device, and no `__repr__`, `__eq__` or `__float__` of a class that is not known to be harmless is called.
"""

from __future__ import annotations

import struct
from typing import Any

from ...schema.journal_format import WHOLE
from ..isolation.class_names import names_of
from .names import Names, plain_key

LONGEST = 200
"""Characters kept of a text."""
PLAIN = {id(float), id(int), id(bool)}
"""The identities of types whose values are plain numbers; those of NumPy join when they are met."""
_NESTED = {id(list), id(tuple), id(dict)}
_SIZED = _NESTED | {id(set), id(frozenset)}
_NO_NUMBERS = _SIZED | {id(type(None)), id(str), id(bytes)}
_ARRAYS: set[int] = set()
# Of NumPy's own data types, by their numbers: NumPy puts a name together each time.
_DTYPES: dict[int, str] = {}
_MADE_AT_RUN_TIME = 1 << 9
"""The flag of a class that is allocated (`Py_TPFLAGS_HEAPTYPE`)."""
_DEEPEST = 3
_MOST = 16
_float, _halves = struct.Struct("<d"), struct.Struct("<II")


def kinds(logs: dict[str, Any]) -> str:
    """How each of some plain numbers is kept: `i`, as a whole number, or `n`, as the halves of a float.

    >>> kinds({"batch": 3, "loss": 0.5, "below": -1})
    'inn'
    """
    return "".join(["i" if _is_whole(value) else "n" for value in logs.values()])


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value < WHOLE


def halves(value: float) -> tuple[int, ...]:
    """The low and the high 32 bits of a float, as numbers that are never negative.

    >>> halves(1.0)
    (0, 1072693248)
    """
    return _halves.unpack(_float.pack(value))


def of_halves(low: int, high: int) -> float:
    """The float of which these are the `halves`.

    >>> of_halves(*halves(0.1))
    0.1
    """
    return float(_float.unpack(_halves.pack(low, high))[0])


def describe(logs: Any, names: Names) -> tuple[int, ...]:
    """The operands of a `state` record for logs that are not all floats.

    Logs that are no dict at all are kept as one text under the key `(logs)`.
    """
    if not issubclass(type(logs), dict):
        return (names.keys(("(logs)",), "t"), names.text(text(logs)))
    operands: list[int] = []
    keys, forms = [], ""
    for key, value in list(dict.items(logs)):
        number = as_number(value)
        keys.append(plain_key(key))
        if number is None:
            forms += "t"
            operands.append(names.text(text(value)))
        elif _is_whole(value):
            forms += "i"
            operands.append(value)
        else:
            forms += "n"
            operands += halves(number)
    return (names.keys(tuple(keys), forms), *operands)


def as_number(value: object) -> "float | None":
    """`value` as a float where it plainly is a number (Python's, or a NumPy scalar), else None.

    >>> as_number(3), as_number("3")
    (3.0, None)
    """
    kind = type(value)
    if id(kind) in _NO_NUMBERS:
        return None
    try:
        if id(kind) in PLAIN:
            return float(value)  # type: ignore[arg-type]
        is_numpys = names_of(kind)[0] == "numpy"
        if is_numpys and ("numpy", "number") in map(names_of, type.__dict__["__mro__"].__get__(kind)):
            plain = value.item()  # type: ignore[attr-defined]
            if type(plain) in (float, int):
                if _stays(kind):
                    PLAIN.add(id(kind))
                return float(plain)
    except OverflowError:
        pass  # an int beyond float64
    return None


def text(value: object, depth: int = 0) -> str:
    """A short text that says what `value` is.

    >>> text({"a": [1, None]}), text(object())
    ("{'a': [1, None]}", '<object>')
    """
    kind = type(value)
    if value is None:
        return "None"
    if kind is str:
        return str(value)[:LONGEST] if depth == 0 else repr(value)[:LONGEST]
    if kind is float or kind is bool or kind is bytes:
        return repr(value[:_MOST] if kind is bytes else value)  # type: ignore[index]
    if kind is int:
        return repr(value) if abs(value) < 1 << 256 else "<int of %d bits>" % value.bit_length()  # type: ignore
    # By identity: a class may have a metaclass that minds being compared.
    if id(kind) in _NESTED and depth < _DEEPEST:
        return _container(value, depth)[:LONGEST]
    if id(kind) in _SIZED:
        return "<%s of %d>" % (kind.__name__, len(value))  # type: ignore[arg-type]
    if is_array(value):
        return "<numpy.ndarray %s %s>" % (_dtype(value.dtype), value.shape)  # type: ignore[attr-defined]
    name = names_of(kind)
    if name[0] == "numpy" and name[1] in ("bool", "bool_"):
        return repr(value.item())  # type: ignore[attr-defined]
    if name[0] == "numpy":
        return "<numpy.%s>" % name[1]
    if name == ("tensorflow.python.framework.ops", "EagerTensor"):
        # Its shape may not be known before the device has computed it.
        return "<EagerTensor %s>" % value.dtype.name  # type: ignore[attr-defined]
    return ("<%s>" % name[1])[:LONGEST]


def _container(value: Any, depth: int) -> str:
    if type(value) is dict:
        shown = ["%s: %s" % (text(key, depth + 1), text(item, depth + 1)) for key, item in list(value.items())[:_MOST]]
    else:
        shown = [text(item, depth + 1) for item in value[:_MOST]]
    more = ["..."] if len(value) > _MOST else []
    frame = "{%s}" if type(value) is dict else "[%s]" if type(value) is list else "(%s)"
    return frame % ", ".join(shown + more)


def is_array(value: object) -> bool:
    """Whether `value` is an array of NumPy's own class.

    >>> is_array([1, 2])
    False
    """
    kind = type(value)
    if id(kind) not in _ARRAYS:
        if id(kind) in _NO_NUMBERS or names_of(kind) != ("numpy", "ndarray"):
            return False
        if _stays(kind):
            _ARRAYS.add(id(kind))
            _NO_NUMBERS.add(id(kind))
    return True


def _stays(kind: type) -> bool:
    """Whether a class lives as long as the process, so that its identity stays its own."""
    return not type.__dict__["__flags__"].__get__(kind) & _MADE_AT_RUN_TIME


def _dtype(dtype: Any) -> str:
    """The name of an array's data type."""
    if dtype.isbuiltin != 1:
        return str(dtype.name)
    known = _DTYPES.get(dtype.num)
    if known is None:
        known = _DTYPES[dtype.num] = dtype.name
    return known
