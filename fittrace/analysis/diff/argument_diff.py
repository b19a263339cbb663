"""Differences in the arguments of `fit` and `compile`, and in the settings of callbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from ..callback_settings import Setting, settings_of
from .comparison_data import ComparedFit, Difference

Arguments = dict[tuple[str, str], Setting]
"""Values by owner and name. The owner is the method, `compile` or a callback."""


def argument_differences(number: int, a: ComparedFit, b: ComparedFit) -> Iterator[Difference]:
    """The differences in arguments and settings of the pair of fits `number`.

    Arguments that only one fit has are left out: another version of the engine has other arguments. Of two versions,
    values of another kind are left out too: one may keep a default as None, the other as a number.
    """
    arguments_a, arguments_b = _arguments(a), _arguments(b)
    same_engine = all(a.row[name] == b.row[name] for name in ("engine", "engine_version"))
    for (owner, name), value in arguments_a.items():
        other = arguments_b.get((owner, name), value)
        if other != value and (same_engine or _kind(value) == _kind(other)):
            kind = "setting" if owner != str(a.row["method"]) else "argument"
            message = f"{name} of {owner} is {_formatted(value)} in A, {_formatted(other)} in B"
            yield Difference("arguments", kind, number, message)


def _arguments(fit: ComparedFit) -> Arguments:
    values = fit.values
    arguments: Arguments = {}
    columns = (values[column].tolist() for column in ("span", "key", "value", "text"))
    for span, key, value, text in zip(*columns, strict=True):
        owner, _, name = str(key).rpartition(".")
        # `compile` is recorded when the callbacks begin, so its values have another span than the fit's own arguments.
        if owner == "compile" or (not owner and span == fit.row["span"]):
            arguments[owner or str(fit.row["method"]), name] = value if pd.isna(text) else text
    count = Counter[str]()
    for settings in settings_of(fit.hooks, values):
        callback = settings.callback
        count[callback] += 1
        owner = f"{callback} {count[callback]}" if count[callback] > 1 else callback
        arguments |= {(owner, name): value for name, value in settings.attributes.items()}
    return arguments


def _kind(value: Setting) -> str:
    """How the trace has a value: `plain` as itself, `described` by type and shape, or `none` for None."""
    if value == "None":
        return "none"
    return "described" if isinstance(value, str) and value.startswith("<") else "plain"


def _formatted(value: Setting) -> str:
    return value if isinstance(value, str) else f"{value:g}"
