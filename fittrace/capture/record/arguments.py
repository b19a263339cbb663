"""What is recorded of the arguments of a fit, besides their values."""

from __future__ import annotations

from typing import Any

from ...schema.argument_keys import VALIDATION_IS_X


def described(names: tuple[str, ...], given: tuple[object, ...]) -> dict[str, Any]:
    """The arguments by name, and `VALIDATION_IS_X` if one object is the data to train and to validate on.

    >>> x, y = [1.0], [2.0]
    >>> described(("x", "validation_data"), (x, (x, y)))["validation_data.is_x"]
    True
    """
    values: dict[str, Any] = dict(zip(names, given))
    data, validation = values.get("x"), values.get("validation_data")
    if type(validation) in (tuple, list) and validation:
        validation = validation[0]
    if data is not None and data is validation:
        values[VALIDATION_IS_X] = True
    return values
