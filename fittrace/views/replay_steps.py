"""The steps of a replay: a single step for the prompt, or all steps as text or as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from ..analysis.units import duration, epoch_and_batch
from ..replay.step import Step
from ..schema.safe_text import printable
from .json_values import json_value
from .source_lines import clean

_SHOWN_OF_PATH = 3
"""Last parts of a path that are shown for a file that was not installed."""

_LONGEST_VALUE = 200
"""Characters of a value that are shown."""


def heading(step: Step, count: int) -> str:
    """The position of a step in the fit, its duration, and its index. `count` is the number of steps."""
    elapsed = "no clock of its own" if step.duration_ns is None else duration(step.duration_ns)
    phase = f"phase {step.phase}, " if step.phase else ""
    return printable(f"{moment(step)}, {phase}{elapsed}, step {step.index:,} of {count:,}")


def moment(step: Step) -> str:
    """The epoch, batch and stage of a step."""
    where = ", ".join(epoch_and_batch(step.epoch, step.batch)) or "outside of epochs"
    return printable(f"{where} ({step.stage})" if step.stage else where)


def location(step: Step) -> str:
    """File, line and function of a step, or a message where the record does not tell them."""
    if step.file is None:
        return "unknown: what ran here could not be told from the record"
    return printable(f"{short_path(step.file)}({step.line}){step.function}()")


def short_path(file: str) -> str:
    """Shorten a path. An installed file keeps the path below `site-packages`, any other file its last parts.

    >>> short_path("/usr/lib/python3/site-packages/keras/src/callbacks/callback_list.py")
    'keras/src/callbacks/callback_list.py'
    >>> short_path("C:\\\\work\\\\project\\\\models\\\\train.py")
    'project/models/train.py'
    """
    path = (PureWindowsPath if "\\" in file else PurePosixPath)(file)
    parts = path.parts
    if not path.is_absolute():
        return "/".join(parts)
    installed = [index for index, part in enumerate(parts) if part in ("site-packages", "dist-packages")]
    return "/".join(parts[installed[-1] + 1 :] if installed else parts[-_SHOWN_OF_PATH:])


def values_line(values: dict[str, Any]) -> str:
    """The recorded values of a step on one line. Of the logs before a hook, only the changed keys are shown.

    >>> before, after = {"loss": 0.5}, {"loss": 0.5, "lr": 0.123456789}
    >>> values_line({"hook": "on_epoch_end", "logs_before": before, "logs": after, "changed": ["lr"]})
    'hook=on_epoch_end  logs={loss: 0.5, lr: 0.123457}  changed={lr: absent -> 0.123457}'
    """
    shown = {name: value for name, value in values.items() if name not in ("logs_before", "changed")}
    before, after, changed = (values.get(name) or {} for name in ("logs_before", "logs", "changed"))
    if changed:
        texts = {key: [_text(logs[key]) if key in logs else "absent" for logs in (before, after)] for key in changed}
        shown["changed"] = {key: " -> ".join(text) for key, text in texts.items()}
    return "  ".join(f"{printable(name)}={value_text(value)}" for name, value in shown.items())


def value_text(value: Any) -> str:
    """A recorded value as text, shortened and safe for a terminal."""
    text = _text(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def walk_lines(steps: Iterable[Step]) -> Iterator[str]:
    """A line for each step: file and line, source, duration and values. The source is indented by its frame's depth.

    A heading comes before a step of another epoch, batch or stage.
    """
    shown: tuple[Any, ...] = ()
    for step in steps:
        if (step.stage, step.epoch, step.batch) != shown:
            shown = (step.stage, step.epoch, step.batch)
            yield f"# {moment(step)}"
        indent = "  " * step.depth
        if step.file is None:
            yield f"{'(unknown)':<28} {indent}"
            continue
        lines = step.source.split("\n")
        source = clean(lines[0]).strip() + (" …" if len(lines) > 1 else "")
        elapsed = "" if step.duration_ns is None else f"  {duration(step.duration_ns)}"
        values = f"  {values_line(step.values)}" if step.values else ""
        where = printable(f"{short_path(step.file).rsplit('/', 1)[-1]}:{step.line}")
        yield f"{where:<28} {indent}{source}{elapsed}{values}"


def walk_json(steps: Iterable[Step]) -> Iterator[str]:
    """A JSON object for each step."""
    for step in steps:
        yield json.dumps(
            {
                "function": step.function,
                "file": step.file,
                "line": step.line,
                "source": step.source,
                "phase": step.phase,
                "depth": step.depth,
                "epoch": step.epoch,
                "batch": step.batch,
                "stage": step.stage,
                "start_ns": step.start_ns,
                "duration_ns": step.duration_ns,
                "known": step.known,
                "values": json_value(step.values),
            }
        )


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{printable(key)}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, float):
        return f"{value:.6g}"
    return printable(value)
