"""The picture that `fittrace watch` draws of a run that goes on, for a terminal of any size."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from rich.text import Text

from ..analysis.units import amount, count, duration
from ..schema.safe_text import printable
from .watch_figures import (
    WatchFigures,
    batches_done,
    batches_per_epoch,
    phase_shares,
    progress,
    rate,
    remaining_ns,
    slowest_hooks,
)

UNKNOWN = "–"
_LEVELS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HOOKS = 4
_TITLE, _QUIET, _BAR, _WARNING = "bold", "dim", "cyan", "yellow"


def display(figures: WatchFigures, width: int, height: int) -> Text:
    """The figures as text of at most `height` lines of at most `width` columns.

    The sections that matter most come first. In a low terminal, the last sections are left out.
    """
    sections = [_head(figures), *(_fit_sections(figures, width) if figures.fit is not None else [_waiting(figures)])]
    lines: list[Text] = []
    for section in sections:
        spaced = [Text(), *section] if lines else section
        if not section or len(lines) + len(section) > height:
            continue
        lines += spaced if len(lines) + len(spaced) <= height else section
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines[:height])


def bar(part: float, width: int) -> str:
    """A bar of `width` columns that is filled to `part`, to the eighth of a column.

    >>> bar(0.5, 4), bar(0.3, 2)
    ('██  ', '▋ ')
    """
    eighths = round(min(max(part, 0.0), 1.0) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_EIGHTHS[rest] if rest else "")).ljust(width)


def sparkline(numbers: Sequence[float], width: int) -> str:
    """The last numbers as a line of bars, of at most `width` columns. Neighbours share a column if they are too many.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8), sparkline([3, 3], 8), sparkline([0, 0, 7, 7], 2)
    ('▁▂▃▄▅▆▇█', '▁▁', '▁█')
    """
    columns = min(len(numbers), width)
    if columns <= 0:
        return ""
    ends = [len(numbers) * column // columns for column in range(columns + 1)]
    means = [sum(numbers[a:b]) / (b - a) for a, b in itertools.pairwise(ends)]
    least, range_ = min(means), (max(means) - min(means)) or 1.0
    return "".join(_LEVELS[min(int(8 * (mean - least) / range_), 7)] for mean in means)


def _head(figures: WatchFigures) -> list[Text]:
    parts = [figures.engine, duration(figures.elapsed_ns)]
    if figures.processes > 1:
        parts.append(amount(figures.processes, "process", "processes"))
    if figures.catching_up:
        parts.append("catching up")
    line = Text().append(printable(figures.run), _TITLE)
    return [line.append("".join(f"  {part}" for part in parts if part))]


def _waiting(figures: WatchFigures) -> list[Text]:
    return [Text("no fit yet" if figures.processes else "no process with Keras yet", _QUIET)]


def _fit_sections(figures: WatchFigures, width: int) -> Iterator[list[Text]]:
    yield list(_progress(figures, width))
    yield [Text(f"! {finding}", _WARNING) for finding in figures.findings[:_HOOKS]] + (
        [Text(f"  and {len(figures.findings) - _HOOKS} more", _QUIET)] if len(figures.findings) > _HOOKS else []
    )
    yield _logs(figures, width)
    yield _phases(figures, width)
    yield _hooks(figures)


def position(figures: WatchFigures) -> str:
    """How far the fit is: its epoch and batch, each with their number if it is known. Both count from 1."""
    fit = figures.fit
    if fit is None:
        return ""
    whole, epochs = batches_per_epoch(fit), fit.arguments.get("epochs")
    method = {"train": "fit", "test": "evaluate"}.get(fit.stage, fit.stage)
    parts = [f"{method} {fit.number}"]
    if fit.stage == "train":
        parts.append(f"epoch {max(fit.epoch, 0) + 1}" + (f"/{int(epochs)}" if epochs else ""))
    parts.append(f"batch {count(batches_done(fit))}" + (f"/{count(whole)}" if whole else ""))
    return "  ".join(parts)


def _progress(figures: WatchFigures, width: int) -> Iterator[Text]:
    assert figures.fit is not None
    fit, done = figures.fit, progress(figures.fit)
    line = Text(position(figures))
    if fit.status is not None:
        line.append(f"  ended: {fit.status}", _QUIET)
    yield line
    if done is not None and width >= 20:
        filled = bar(done, min(width - 8, 60))
        yield Text().append(filled, f"{_BAR} on grey23").append(f" {100 * done:5.1f} %")
    per_second, left = rate(fit), remaining_ns(fit)
    facts = {
        "rate": UNKNOWN if per_second is None else f"{_three_digits(per_second)} batches/s",
        "remaining": UNKNOWN if left is None else duration(left) if left >= 1e9 else "< 1 s",
        "memory": UNKNOWN if figures.memory_bytes is None else f"{count(round(figures.memory_bytes / 1e6))} MB",
    }
    if width >= 60:
        yield _fact_line(facts)
    else:
        for name, text in facts.items():
            yield _fact_line({name: text})


def _fact_line(facts: dict[str, str]) -> Text:
    line = Text()
    for name, text in facts.items():
        line.append(f"{name} ", _QUIET).append(f"{text}   ")
    return line


def _logs(figures: WatchFigures, width: int) -> list[Text]:
    assert figures.fit is not None
    fit = figures.fit
    logs = fit.epoch_logs | fit.batch_logs
    names = [key for key in logs if key != "loss"]
    lines = []
    if "loss" in logs:
        line = Text().append("loss ", _QUIET).append(f"{logs['loss']:<10.5g}")
        lines.append(line.append(sparkline(fit.loss.means, min(max(width - 16, 0), 64)), _BAR))
    others = Text()
    for key in names:
        cell = Text().append(f"{printable(key)} ", _QUIET).append(f"{logs[key]:.5g}   ")
        if others.cell_len + cell.cell_len <= width or not others.cell_len:
            others.append_text(cell)
    return lines + ([others] if others.cell_len else [])


def _phases(figures: WatchFigures, width: int) -> list[Text]:
    assert figures.fit is not None
    bars = min(max(width - 33, 0), 40)
    lines = [Text("time of a batch", _TITLE)]
    for phase, ns, part in phase_shares(figures.fit):
        line = Text(f"  {phase:<9} ").append(bar(part, bars), _BAR)
        lines.append(line.append(f" {100 * part:5.1f} %  {duration(ns):>8}"))
    return lines if len(lines) > 1 else []


def _hooks(figures: WatchFigures) -> list[Text]:
    assert figures.fit is not None
    rows = slowest_hooks(figures.fit, _HOOKS)
    lines = [Text(f"  {duration(ns):>11}  {duration(each):>8} a call  {name}") for name, ns, _, each in rows]
    return [Text("slowest hooks", _TITLE), *lines] if lines else []


def _three_digits(number: float) -> str:
    return count(round(number)) if number >= 100 else f"{number:.3g}"
