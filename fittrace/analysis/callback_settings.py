"""The settings of the callbacks of a fit, read from the table `values`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

_ATTRIBUTE = re.compile(r"callbacks\[(\d+)\]\.(\w+)")
"""The key in `values` of a callback's attribute: its position in the callback list, and the attribute's name."""

Setting = float | str


@dataclass(frozen=True)
class CallbackSettings:
    """The settings of one callback of a fit.

    - `callback`: the name of its class.
    - `position`: its index in its callback list.
    - `span`: the span of the `on_train_begin` of its callback list.
    - `attributes`: its attributes by name, such as `monitor` or `patience`.
    - `overrides`: the hooks that its class defines; None in traces without this information.
    """

    callback: str
    position: int
    span: int
    attributes: dict[str, Setting]
    overrides: frozenset[str] | None

    def has(self, hook: str) -> bool:
        """Whether the callback defines `hook`.

        `on_batch_*` counts as `on_train_batch_*`, since Keras' default for the new name calls the old one.

        >>> CallbackSettings("Mine", 0, 4, {}, frozenset(["on_batch_end"])).has("on_train_batch_end")
        True
        """
        return not {hook, hook.replace("on_train_batch_", "on_batch_")}.isdisjoint(self.overrides or ())

    def calls(self, hooks: pd.DataFrame, hook: str) -> pd.DataFrame:
        """The rows of `hooks`, those of the fit, in which the callback's `hook` was called."""
        is_own = (hooks["callback"] == self.callback) & (hooks["position"] == self.position)
        rows: pd.DataFrame = hooks[(is_own & (hooks["hook"] == hook)).to_numpy(bool)]
        return rows


def settings_of(hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[CallbackSettings]:
    """The settings of each callback of a fit, in the order of its callback list.

    `hooks` and `values` are the fit's rows of these tables.
    """
    by_list = _attributes_by_list(values)
    if not by_list:
        return
    begins = hooks[hooks["parent"].isin(list(by_list)).to_numpy(bool)]
    for span, position, callback in zip(begins["parent"], begins["position"], begins["callback"], strict=True):
        by_position = by_list[int(span)]
        attributes = by_position.get(int(position), {})
        # A callback may define no hook at all. So a trace has this information if any callback of the list has a hook.
        has_overrides = any(name.startswith("on_") for names in by_position.values() for name in names)
        overrides = frozenset(name for name in attributes if name.startswith("on_")) if has_overrides else None
        others = {name: value for name, value in attributes.items() if not name.startswith("on_")}
        yield CallbackSettings(str(callback), int(position), int(span), others, overrides)


def _attributes_by_list(values: pd.DataFrame) -> dict[int, dict[int, dict[str, Setting]]]:
    """The attributes of callbacks, by the span of their list's `on_train_begin`, position and name."""
    by_list: dict[int, dict[int, dict[str, Setting]]] = {}
    columns = (values[column].tolist() for column in ("span", "key", "value", "text"))
    for span, key, value, text in zip(*columns, strict=True):
        attribute = _ATTRIBUTE.fullmatch(key)
        if attribute is not None:
            by_position = by_list.setdefault(int(span), {})
            by_position.setdefault(int(attribute[1]), {})[attribute[2]] = value if pd.isna(text) else text
    return by_list
