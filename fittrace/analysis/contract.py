"""The contract of a fit: what a callback may count on. Hook order, log keys and phases, with nothing that differs from
one machine or run to the next: no times, no ids, no values."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..schema.hook_names import HOOKS
from .hook_calls import calls_of
from .pattern import described

Phases = dict[str, "Phases"]


def contract(fit: pd.Series, hooks: pd.DataFrame, spans: pd.DataFrame) -> str:
    """The contract of `fit`, a row of `fits`, as text; `hooks` and `spans` are its own."""
    thread = str(fit["thread"])
    elsewhere = hooks.loc[hooks["thread"] != thread, "hook"].unique()
    parts = {
        "callbacks": [", ".join(callbacks(hooks))],
        "hooks": described(calls_of(hooks, thread)).splitlines(),
        "hooks on other threads, in no order": _in_order(elsewhere),
        "log keys": [f"{hook}: {', '.join(keys)}" for hook, keys in log_keys(hooks).items()],
        "log keys that callbacks add or remove": list(_changes(hooks)),
        "phases": list(_tree(phases(spans[spans["thread"] == thread]))),
    }
    lines = [str(fit["method"])]
    for title, content in parts.items():
        content = [line for line in content if line]
        lines += [f"    {title}", *(f"        {line}" for line in content)] if content else []
    return "\n".join(lines)


def callbacks(hooks: pd.DataFrame) -> list[str]:
    """The callbacks of one fit's `hooks`, in the order of its callback list."""
    listed = hooks.drop_duplicates("callback").sort_values("position", kind="stable")
    return [str(name) for name in listed["callback"]]


def log_keys(hooks: pd.DataFrame) -> dict[str, list[str]]:
    """For each hook of one fit's `hooks` that is given logs, the keys that any callback found or left there, sorted."""
    found: dict[str, set[str]] = {}
    for hook, before, after in zip(hooks["hook"], hooks["logs_before"], hooks["logs_after"], strict=True):
        if before or after:
            found.setdefault(hook, set()).update(before, after)
    return {hook: sorted(found[hook]) for hook in _in_order(found)}


def phases(spans: pd.DataFrame) -> Phases:
    """The phases of one fit's `spans`, each with those that lie in it, in order of first appearance."""
    result: Phases = {}
    places: dict[int, tuple[str, Phases]] = {}
    for span, parent, phase in zip(spans["span"], spans["parent"].fillna(-1), spans["phase"], strict=True):
        around, inside = places.get(parent, ("", result))
        places[span] = (phase, inside if phase == around else inside.setdefault(phase, {}))
    return result


def _changes(hooks: pd.DataFrame) -> Iterator[str]:
    """What callbacks do to the keys. What they do to values is left out: whether one changes can hang on a last bit."""
    changing = hooks[hooks["changed"].map(len) > 0].sort_values("position", kind="stable")
    found: dict[tuple[str, str], set[str]] = {}
    columns = (changing[name] for name in ("hook", "callback", "logs_before", "logs_after"))
    for hook, callback, before, after in zip(*columns, strict=True):
        keys = {f"+{key}" for key in after if key not in before} | {f"-{key}" for key in before if key not in after}
        found.setdefault((hook, callback), set()).update(keys)
    for hook in _in_order({hook for hook, _ in found}):
        for (of, callback), keys in found.items():
            if of == hook and keys:
                yield f"{callback}.{hook}: {', '.join(sorted(keys))}"


def _tree(found: Phases, indent: str = "") -> Iterator[str]:
    for phase, inside in found.items():
        yield indent + phase
        yield from _tree(inside, indent + "    ")


def _in_order(hooks: object) -> list[str]:
    named = set(hooks)  # type: ignore[call-overload]
    return [hook for hook in HOOKS if hook in named] + sorted(named - set(HOOKS))
