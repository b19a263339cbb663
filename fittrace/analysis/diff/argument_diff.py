"""What two fits were asked for: the arguments of `fit` and `compile`, and the settings of callbacks, that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from ..callback_settings import Setting, settings_of
from .difference import ComparedFit, Difference

Arguments = dict[tuple[str, str], Setting]
"""Values by whose they are, and their names."""


def argument_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in what the pair of fits `number` was asked for.

    What only one of them tells is left out: another version has other arguments. Of two versions, so are values that
    each keeps in its own way: a default as None, a number as a variable.
    """
    of_a, of_b = _arguments(a), _arguments(b)
    same_engine = all(a.row[name] == b.row[name] for name in ("engine", "engine_version"))
    for (owner, name), value in of_a.items():
        other = of_b.get((owner, name), value)
        if other != value and (same_engine or _kind(value) == _kind(other)):
            kind = "setting" if owner != str(a.row["method"]) else "argument"
            message = f"{name} of {owner} is {_shown(value)} in A, {_shown(other)} in B"
            yield Difference("arguments", kind, number, message)


def _arguments(fit: ComparedFit) -> Arguments:
    values = fit.values
    found: Arguments = {}
    columns = (values[column].tolist() for column in ("span", "key", "value", "text"))
    for span, key, value, text in zip(*columns, strict=True):
        owner, _, name = str(key).rpartition(".")
        # The fit's own call, or `compile.` as its callbacks begin.
        if owner == "compile" or (not owner and span == fit.row["span"]):
            found[owner or str(fit.row["method"]), name] = value if pd.isna(text) else text
    of_name = Counter[str]()
    for one in settings_of(fit.hooks, values):
        of_name[one.callback] += 1
        again = f" {of_name[one.callback]}" if of_name[one.callback] > 1 else ""
        found |= {(one.callback + again, name): value for name, value in one.attributes.items()}
    return found


def _kind(value: Setting) -> str:
    """Whether a value is told as what it is worth, as what it is, or as None."""
    if value == "None":
        return "none"
    return "described" if isinstance(value, str) and value.startswith("<") else "plain"


def _shown(value: Setting) -> str:
    return value if isinstance(value, str) else f"{value:g}"
