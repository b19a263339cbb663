"""The logs that hooks got, from `state` records, and the values of variables, from `values` records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..journal.definitions import KnownDefinitions
from .hooks import hooks_passed
from .records import Indices, Parsed
from .site_arrays import KIND
from .spans import SpanArrays, innermost

State = dict[str, float | str]
"""The logs at one moment: each key with its number or text."""
Floats = npt.NDArray[np.float64]


@dataclass
class LogRows:
    """Rows of the `logs` table, in pieces of one key each.

    - `frame_span`: of each row the index of the span of `CallbackList.on_*`.
    - `position`: of each row the position of the callback that made it; -1: the engine did.
    - `key`: of each piece the key.
    - `value`: of each row the number; NaN where it is a text or was removed.
    - `text`: of each piece the text, None where the values are numbers.
    - `removed`: of each piece whether the key was removed.
    """

    frame_span: list[Indices] = field(default_factory=list)
    position: list[Indices] = field(default_factory=list)
    key: list[str] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    text: list[str | None] = field(default_factory=list)
    removed: list[bool] = field(default_factory=list)

    def numbers(self, frame_span: Indices, position: Indices, key: str, value: Floats) -> None:
        """Add a piece: values of `key` that are numbers, each with its span and the callback's position."""
        self.frame_span.append(frame_span)
        self.position.append(position)
        self.key.append(key)
        self.value.append(value)
        self.text.append(None)
        self.removed.append(False)

    def change(self, frame_span: int, position: int, key: str, value: float | str | None) -> None:
        """Add a piece with one row: a number, a text, or None where the key was removed."""
        number = np.array([value if isinstance(value, float) else np.nan])
        self.numbers(np.array([frame_span]), np.array([position]), key, number)
        self.text[-1] = value if isinstance(value, str) else None
        self.removed[-1] = value is None


@dataclass
class BatchLogs:
    """The logs at the end of batches.

    - `keys`: for each key, pieces with the index of the `CallbackList.on_*` span and the value of each batch.
    """

    keys: dict[str, list[tuple[Indices, Floats]]] = field(default_factory=dict)

    def add(self, key: str, frame_span: Indices, value: Floats) -> None:
        """Add values of one key. Where a batch has several, the last one counts."""
        self.keys.setdefault(key, []).append((frame_span, value))


def floats(operands: npt.NDArray[np.int64]) -> Floats:
    """Float64 numbers from their 32-bit halves, which alternate in the last axis: low, high, low, high.

    >>> floats(np.array([0, 1072693248]))
    array([1.])
    """
    bits = (operands[..., 1::2].astype(np.uint64) << np.uint64(32)) | operands[..., 0::2].astype(np.uint64)
    values: Floats = bits.view(np.float64)
    return values


def _width(kinds: str) -> int:
    """The number of operands of values of these kinds: a float64 takes two, anything else one."""
    return len(kinds) + kinds.count("n")


def _numbers(operands: npt.NDArray[np.int64], kinds: str) -> Floats:
    """The numbers in operands.

    - `operands`: along the last axis, the operands of one value after the other.
    - `kinds`: the kind of each value: `i` for a whole number, `n` for a float64 in two halves.
    """
    begin = np.cumsum([0] + [_width(kind) for kind in kinds])[:-1]
    values = operands[..., begin].astype(np.float64)
    is_float = [kind == "n" for kind in kinds]
    first = begin[is_float]
    values[..., is_float] = floats(np.stack([operands[..., first], operands[..., first + 1]], axis=-1))[..., 0]
    return values


@dataclass(frozen=True)
class States:
    """The `state` records of a window, or its `values` records.

    - `numbers`: all records of the window.
    - `annotation`: of each the index among the annotations.
    - `begin`, `end`: of each where its values begin and end in `numbers`.
    - `keys`: of each the number of the definition of its keys.
    """

    numbers: npt.NDArray[np.int64]
    annotation: Indices
    begin: Indices
    end: Indices
    keys: npt.NDArray[np.int64]

    @classmethod
    def of(cls, parsed: Parsed, kind: str = "state") -> States:
        """The records of this kind, `state` or `values`: both have the same operands."""
        annotation = np.flatnonzero(parsed.annotation_kind == KIND[kind])
        heads = np.append(np.flatnonzero(parsed.numbers < 0), len(parsed.numbers))
        start = parsed.annotation_start[annotation]
        end = heads[np.searchsorted(heads, start, "right")]
        return cls(parsed.numbers, annotation, start + 2, end, parsed.numbers[start + 1])

    def numeric(self, definitions: KnownDefinitions, which: Indices) -> Iterator[tuple[list[str], Indices, Floats]]:
        """The states among `which` that hold no text.

        Yields for each set of keys the names of the keys, the indices of its states, and a row of numbers for each.
        """
        order = np.argsort(self.keys[which], kind="stable")
        sets_of_keys, begin = np.unique(self.keys[which[order]], return_index=True)
        for keys, here in zip(sets_of_keys.tolist(), np.split(which[order], begin[1:])):
            shape = shape_of(keys, definitions)
            if shape is not None and "t" not in shape[1]:
                operands = self.begin[here][:, None] + np.arange(_width(shape[1]))
                yield shape[0], here, _numbers(self.numbers[operands], shape[1])

    def lost(self, definitions: KnownDefinitions) -> npt.NDArray[np.bool_]:
        """Which states cannot be read, because the definition of their keys is lost or is another one."""
        sets_of_keys, which = np.unique(self.keys, return_inverse=True)
        shapes = [shape_of(keys, definitions) for keys in sets_of_keys.tolist()]
        widths = np.array([-1 if shape is None else _width(shape[1]) for shape in shapes], np.int64)
        lost: npt.NDArray[np.bool_] = (self.end - self.begin) != widths[which]
        return lost

    def read(self, index: int, definitions: KnownDefinitions) -> State:
        """One state as a dict."""
        shape = shape_of(int(self.keys[index]), definitions)
        operands = self.numbers[self.begin[index] : self.end[index]]
        state: State = {}
        begin = 0
        for name, kind in zip(*shape, strict=True) if shape is not None else ():
            value = operands[begin : begin + _width(kind)]
            begin += len(value)
            text = definitions.text(int(value[0])) if kind == "t" else None
            state[name] = float(_numbers(value, kind)[0]) if text is None else text
        return state


def shape_of(keys: int, definitions: KnownDefinitions) -> tuple[list[str], str] | None:
    """The names and the kinds of a state's keys; None where their definition is lost."""
    shape = definitions.keys[keys] if keys < len(definitions.keys) else None
    return None if shape is None else (shape["names"], shape["kinds"])


def changes(before: State, after: State) -> Iterator[tuple[str, float | str | None]]:
    """How a callback changed the logs: each changed key with its new value, or None where it was removed.

    >>> list(changes({"loss": 1.0, "acc": 0.5}, {"loss": 1.0, "lr": 0.1}))
    [('lr', 0.1), ('acc', None)]
    """
    for key, value in after.items():
        if key not in before or not _same(before[key], value):
            yield key, value
    for key in before:
        if key not in after:
            yield key, None


def _same(before: float | str, after: float | str) -> bool:
    both_nan = before != before and after != after  # NaN that stays NaN is no change
    return before == after or both_nan


def logs_of(
    spans: SpanArrays, parsed: Parsed, frame_span: Indices, hooks: list[str], definitions: KnownDefinitions
) -> tuple[LogRows, BatchLogs]:
    """The rows of `logs` of a window, and the logs at the end of its batches.

    - `spans`, `parsed`: the spans and records of the window.
    - `frame_span`: for each record that enters a frame, the index of the frame's span.
    - `hooks`: the names that the codes in `spans.hook` stand for.
    - `definitions`: what the journal has defined so far.
    """
    rows, batch_logs = LogRows(), BatchLogs()
    states = States.of(parsed)
    frame = parsed.annotation_frame[states.annotation]
    owner = frame_span[frame]
    position = hooks_passed(parsed, states.annotation) - 1
    ends_batch = np.array([hook.endswith("batch_end") for hook in hooks] + [False])[spans.hook]
    ends_batch &= spans.closer >= 0  # while a hook is open, a callback may still change the logs
    # A frame's first state is what the engine passed, each later one what a callback made of it. A row says what
    # changed from one state to the next. So a frame of which one state is lost has no rows.
    lost = np.isin(owner, owner[states.lost(definitions)])
    known = np.flatnonzero((owner >= 0) & (spans.fit[owner] >= 0) & ~lost)
    _, index, counts = np.unique(owner[known], return_index=True, return_counts=True)
    alone = np.zeros(len(owner), bool)
    alone[known[index[counts == 1]]] = True
    done = np.zeros(len(owner), bool)
    # Nearly all frames have one state, of numbers alone. Those are read all at once, the others one by one.
    for names, here, values in states.numeric(definitions, np.flatnonzero(alone)):
        done[here] = True
        for column, name in enumerate(names):
            rows.numbers(owner[here], position[here], name, values[:, column])
            at_end = ends_batch[owner[here]]
            batch_logs.add(name, owner[here][at_end], values[at_end, column])
    latest: dict[int, State] = {}
    for number in known[~done[known]].tolist():
        span = int(owner[number])
        state = states.read(number, definitions)
        for key, value in changes(latest.get(span, {}), state):
            rows.change(span, int(position[number]), key, value)
        latest[span] = state
    for span, state in latest.items():
        if ends_batch[span]:
            for key, value in state.items():
                if isinstance(value, float):
                    batch_logs.add(key, np.array([span]), np.array([value]))
    return rows, batch_logs


def values_of(
    spans: SpanArrays, parsed: Parsed, since: int, definitions: KnownDefinitions
) -> tuple[Indices, Indices, list[tuple[str, float | str]]]:
    """The values of variables in a window's records, but for those before the index `since` in its numbers.

    Returns for each value the index of the innermost span that was open, its site, and its key and value.
    """
    states = States.of(parsed, "values")
    owner = innermost(spans, parsed, parsed.annotation_before[states.annotation])
    wanted = (owner >= 0) & (spans.fit[owner] >= 0) & (spans.number[owner] >= 0)
    wanted &= (parsed.annotation_start[states.annotation] >= since) & ~states.lost(definitions)
    items = [(n, item) for n in np.flatnonzero(wanted).tolist() for item in states.read(n, definitions).items()]
    index = np.array([n for n, _ in items], np.int64)
    site = -(parsed.numbers[parsed.annotation_start[states.annotation]] + 1)
    return owner[index], site[index], [item for _, item in items]
