"""The contract of a fit: what its callbacks may rely on.

It is the hook order, the log keys and the phases. It has no times, ids or values, so it is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from ..schema.hook_names import HOOKS
from .hook_calls import calls_of
from .pattern import described

Phases = dict[str, "Phases"]
"""A tree of phases: each phase with the phases inside it."""


def contract(fit: pd.Series, hooks: pd.DataFrame, spans: pd.DataFrame) -> str:
    """The contract of a fit as text.

    - `fit`: the fit's row of the table `fits`.
    - `hooks`: the fit's rows of the table `hooks`.
    - `spans`: the fit's rows of the table `spans`.
    """
    thread = str(fit["thread"])
    elsewhere = hooks.loc[hooks["thread"] != thread, "hook"].unique()
    sections = {
        "callbacks": [", ".join(callbacks(hooks))],
        "hooks": described(calls_of(hooks, thread)).splitlines(),
        "hooks on other threads, in no order": _in_order(elsewhere),
        "log keys": [f"{hook}: {', '.join(keys)}" for hook, keys in log_keys(hooks).items()],
        "log keys that callbacks add or remove": list(_key_changes(hooks)),
        "phases": list(_indented(phases(spans[spans["thread"] == thread]))),
    }
    lines = [str(fit["method"])]
    for title, content in sections.items():
        content = [line for line in content if line]
        lines += [f"    {title}", *(f"        {line}" for line in content)] if content else []
    return "\n".join(lines)


def callbacks(hooks: pd.DataFrame) -> list[str]:
    """The class names of the callbacks of one fit, in the order of its callback list.

    >>> callbacks(pd.DataFrame({"callback": ["Mine", "History", "Mine"], "position": [1, 0, 1]}))
    ['History', 'Mine']
    """
    listed = hooks.drop_duplicates("callback").sort_values("position", kind="stable")
    return [str(name) for name in listed["callback"]]


def log_keys(hooks: pd.DataFrame) -> dict[str, list[str]]:
    """For each hook of one fit that gets logs: the keys that were there before or after any callback, sorted.

    >>> hook = {"hook": "on_epoch_end", "logs_before": {"loss": 0.5}, "logs_after": {"loss": 0.5, "lr": 0.1}}
    >>> log_keys(pd.DataFrame([hook]))
    {'on_epoch_end': ['loss', 'lr']}
    """
    by_hook: dict[str, set[str]] = {}
    for hook, before, after in zip(hooks["hook"], hooks["logs_before"], hooks["logs_after"], strict=True):
        if before or after:
            by_hook.setdefault(hook, set()).update(before, after)
    return {hook: sorted(by_hook[hook]) for hook in _in_order(by_hook)}


def phases(spans: pd.DataFrame) -> Phases:
    """The tree of phases of one fit's `spans`, in order of first appearance.

    >>> phases(pd.DataFrame({"span": [0, 1, 2], "parent": [None, 0, 1], "phase": ["fit", "epoch", "batch"]}))
    {'fit': {'epoch': {'batch': {}}}}
    """
    root: Phases = {}
    nodes: dict[int, tuple[str, Phases]] = {}
    for span, parent, phase in zip(spans["span"], spans["parent"].fillna(-1), spans["phase"], strict=True):
        outer_phase, children = nodes.get(parent, ("", root))
        # A span in one of the same phase, such as an engine function called by another, adds no level to the tree.
        nodes[span] = (phase, children if phase == outer_phase else children.setdefault(phase, {}))
    return root


def _key_changes(hooks: pd.DataFrame) -> Iterator[str]:
    """For each hook and callback the keys that the callback adds (`+`) and removes (`-`).

    Changed values are left out: rounding may decide whether a callback changes one.
    """
    changing = hooks[hooks["changed"].map(len) > 0].sort_values("position", kind="stable")
    by_call: dict[tuple[str, str], set[str]] = {}
    columns = (changing[name] for name in ("hook", "callback", "logs_before", "logs_after"))
    for hook, callback, before, after in zip(*columns, strict=True):
        keys = {f"+{key}" for key in after if key not in before} | {f"-{key}" for key in before if key not in after}
        by_call.setdefault((hook, callback), set()).update(keys)
    for hook in _in_order({hook for hook, _ in by_call}):
        for (hook_of_call, callback), keys in by_call.items():
            if hook_of_call == hook and keys:
                yield f"{callback}.{hook}: {', '.join(sorted(keys))}"


def _indented(tree: Phases, indent: str = "") -> Iterator[str]:
    for phase, children in tree.items():
        yield indent + phase
        yield from _indented(children, indent + "    ")


def _in_order(hooks: Iterable[str]) -> list[str]:
    """The distinct hooks: those of Keras in the order of `HOOKS`, then others by name."""
    names = set(hooks)
    return [hook for hook in HOOKS if hook in names] + sorted(names - set(HOOKS))
