"""How the callbacks of a fit are set, as the table `values` tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

_ATTRIBUTE = re.compile(r"callbacks\[(\d+)\]\.(\w+)")
"""How `values` names an attribute of a callback."""

Setting = float | str


@dataclass(frozen=True)
class CallbackSettings:
    """How one callback is set: its class, its `position` in its list, the `span` of the list's `on_train_begin`, and
    its attributes by name. Its `overrides` are the hooks that it has a method for; None in traces that do not tell."""

    callback: str
    position: int
    span: int
    attributes: dict[str, Setting]
    overrides: frozenset[str] | None

    def has(self, hook: str) -> bool:
        """Whether the callback has a method for `hook`. Keras passes a training batch's hooks on to the older ones."""
        return not {hook, hook.replace("on_train_batch_", "on_batch_")}.isdisjoint(self.overrides or ())


def settings_of(hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[CallbackSettings]:
    """The settings of each callback of a fit, whose rows `hooks` and `values` are, in the order of its list."""
    found: dict[int, dict[int, dict[str, Setting]]] = {}
    columns = (values[column].tolist() for column in ("span", "key", "value", "text"))
    for span, name, value, text in zip(*columns, strict=True):
        attribute = _ATTRIBUTE.fullmatch(name)
        if attribute is not None:
            of_list = found.setdefault(int(span), {})
            of_list.setdefault(int(attribute[1]), {})[attribute[2]] = value if pd.isna(text) else text
    if not found:
        return
    begins = hooks[hooks["parent"].isin(list(found)).to_numpy(bool)]
    for span, position, callback in zip(begins["parent"], begins["position"], begins["callback"], strict=True):
        attributes = found[int(span)].get(int(position), {})
        is_told = any(name.startswith("on_") for of in found[int(span)].values() for name in of)
        overrides = frozenset(name for name in attributes if name.startswith("on_")) if is_told else None
        others = {name: value for name, value in attributes.items() if not name.startswith("on_")}
        yield CallbackSettings(str(callback), int(position), int(span), others, overrides)
