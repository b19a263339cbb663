"""What is recorded of the arguments of a fit, besides their values."""

from __future__ import annotations

from typing import Any

IS_X = "validation_data.is_x"
"""The key that says that a fit validates on its training data. No argument has a dot in its name."""


def described(names: tuple[str, ...], given: tuple[object, ...]) -> dict[str, Any]:
    """The arguments by name, and `IS_X` if the same object is the training data and the validation data.

    >>> x, y = [1.0], [2.0]
    >>> described(("x", "validation_data"), (x, (x, y)))["validation_data.is_x"]
    True
    """
    values: dict[str, Any] = dict(zip(names, given))
    data, validation = values.get("x"), values.get("validation_data")
    if type(validation) in (tuple, list) and validation:
        validation = validation[0]
    if data is not None and data is validation:
        values[IS_X] = True
    return values
