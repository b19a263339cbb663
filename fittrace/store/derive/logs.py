"""The logs that hooks were given, out of the `state` records of one thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..journal.definitions import KnownDefinitions
from .hooks import hooks_passed
from .records import Indices, Parsed
from .site_arrays import KIND
from .spans import SpanArrays, innermost

State = dict[str, float | str]
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
        """Add a key's values, which are numbers."""
        self.frame_span.append(frame_span)
        self.position.append(position)
        self.key.append(key)
        self.value.append(value)
        self.text.append(None)
        self.removed.append(False)

    def change(self, frame_span: int, position: int, key: str, value: float | str | None) -> None:
        """Add one value: a number, a text, or, with None, the key's removal."""
        number = np.array([value if isinstance(value, float) else np.nan])
        self.numbers(np.array([frame_span]), np.array([position]), key, number)
        self.text[-1] = value if isinstance(value, str) else None
        self.removed[-1] = value is None


@dataclass
class BatchLogs:
    """The logs at the end of batches: for each key, the index of the span that passed them on, and the value."""

    keys: dict[str, list[tuple[Indices, Floats]]] = field(default_factory=dict)

    def add(self, key: str, frame_span: Indices, value: Floats) -> None:
        """Add values of one key; later ones count."""
        self.keys.setdefault(key, []).append((frame_span, value))


def floats(operands: npt.NDArray[np.int64]) -> Floats:
    """The floats whose low and high halves alternate in the last axis.

    >>> floats(np.array([0, 1072693248]))
    array([1.])
    """
    bits = (operands[..., 1::2].astype(np.uint64) << np.uint64(32)) | operands[..., 0::2].astype(np.uint64)
    values: Floats = bits.view(np.float64)
    return values


def _width(kinds: str) -> int:
    """Operands of values of these kinds."""
    return len(kinds) + kinds.count("n")


def _numbers(operands: npt.NDArray[np.int64], kinds: str) -> Floats:
    """The numbers of these kinds that the operands in the last axis tell, whole ones or halves."""
    place = np.cumsum([0] + [_width(kind) for kind in kinds])[:-1]
    values = operands[..., place].astype(np.float64)
    split = [kind == "n" for kind in kinds]
    first = place[split]
    values[..., split] = floats(np.stack([operands[..., first], operands[..., first + 1]], axis=-1))[..., 0]
    return values


@dataclass(frozen=True)
class States:
    """The `state` records of a window: `loose` is their index among the loose records, `begin` and `end` bound
    their operands, `keys` is the number of their keys."""

    numbers: npt.NDArray[np.int64]
    loose: Indices
    begin: Indices
    end: Indices
    keys: npt.NDArray[np.int64]

    @classmethod
    def of(cls, parsed: Parsed, kind: str = "state") -> States:
        """Those of `parsed`; or of `kind` values, which are alike."""
        loose = np.flatnonzero(parsed.annotation_kind == KIND[kind])
        heads = np.append(np.flatnonzero(parsed.numbers < 0), len(parsed.numbers))
        start = parsed.annotation_start[loose]
        end = heads[np.searchsorted(heads, start, "right")]
        return cls(parsed.numbers, loose, start + 2, end, parsed.numbers[start + 1])

    def numeric(self, definitions: KnownDefinitions, which: Indices) -> Iterator[tuple[list[str], Indices, Floats]]:
        """Those of `which` that hold numbers alone: names, index among `which`, and a row of values each."""
        order = np.argsort(self.keys[which], kind="stable")
        found, begin = np.unique(self.keys[which[order]], return_index=True)
        for keys, here in zip(found.tolist(), np.split(which[order], begin[1:])):
            shape = shape_of(keys, definitions)
            if shape is not None and "t" not in shape[1]:
                place = self.begin[here][:, None] + np.arange(_width(shape[1]))
                yield shape[0], here, _numbers(self.numbers[place], shape[1])

    def lost(self, definitions: KnownDefinitions) -> npt.NDArray[np.bool_]:
        """Which of them cannot be read, since it is lost what their keys are."""
        found, which = np.unique(self.keys, return_inverse=True)
        shapes = [shape_of(keys, definitions) for keys in found.tolist()]
        widths = np.array([-1 if shape is None else _width(shape[1]) for shape in shapes], np.int64)
        lost: npt.NDArray[np.bool_] = (self.end - self.begin) != widths[which]
        return lost

    def read(self, index: int, definitions: KnownDefinitions) -> State:
        """The dict that one record tells."""
        shape = shape_of(int(self.keys[index]), definitions)
        operands = self.numbers[self.begin[index] : self.end[index]]
        state: State = {}
        place = 0
        for name, kind in zip(*shape, strict=True) if shape is not None else ():
            here = operands[place : place + _width(kind)]
            place += len(here)
            text = _text(definitions.texts, int(here[0])) if kind == "t" else None
            state[name] = float(_numbers(here, kind)[0]) if text is None else text
        return state


def shape_of(keys: int, definitions: KnownDefinitions) -> tuple[list[str], str] | None:
    """Names and kinds of a dict's keys; None where their definition is lost."""
    shape = definitions.keys[keys] if keys < len(definitions.keys) else None
    return None if shape is None else (shape["names"], shape["kinds"])


def _text(texts: Sequence[dict[str, Any] | None], number: int) -> str:
    text = texts[number] if 0 <= number < len(texts) else None
    return "(lost)" if text is None else str(text["value"])


def changes(before: State, after: State) -> Iterator[tuple[str, float | str | None]]:
    """What a callback did to the logs: each key with its new value, or None where it was removed.

    >>> list(changes({"loss": 1.0, "acc": 0.5}, {"loss": 1.0, "lr": 0.1}))
    [('lr', 0.1), ('acc', None)]
    """
    for key, value in after.items():
        if key not in before or not _same(before[key], value):
            yield key, value
    for key in before:
        if key not in after:
            yield key, None


def _same(one: float | str, other: float | str) -> bool:
    both_nan = one != one and other != other
    return one == other or both_nan


def logs_of(
    spans: SpanArrays, parsed: Parsed, frame_span: Indices, hooks: list[str], definitions: KnownDefinitions
) -> tuple[LogRows, BatchLogs]:
    """All that the records of a window say of logs: the rows, and the logs at the end of its batches.

    `frame_span` is, for each record that enters a frame, the frame's span; `hooks` are the names of hooks.
    """
    rows, batch_logs = LogRows(), BatchLogs()
    states = States.of(parsed)
    frame = parsed.annotation_frame[states.loose]
    owner = frame_span[frame]
    position = hooks_passed(parsed, states.loose) - 1
    ends_batch = np.array([hook.endswith("batch_end") for hook in hooks] + [False])[spans.hook]
    ends_batch &= spans.closer >= 0  # else a callback may have changed them yet
    # The records of a frame follow one another but for frames inside; the first of each is what the engine made.
    # Where one of them is lost, the others do not tell what changed.
    lost = np.isin(owner, owner[states.lost(definitions)])
    known = np.flatnonzero((owner >= 0) & (spans.fit[owner] >= 0) & ~lost)
    _, place, counts = np.unique(owner[known], return_index=True, return_counts=True)
    alone = np.zeros(len(owner), bool)
    alone[known[place[counts == 1]]] = True
    done = np.zeros(len(owner), bool)
    for names, here, values in states.numeric(definitions, np.flatnonzero(alone)):
        done[here] = True
        for column, name in enumerate(names):
            rows.numbers(owner[here], position[here], name, values[:, column])
            at_end = ends_batch[owner[here]]
            batch_logs.add(name, owner[here][at_end], values[at_end, column])
    latest: dict[int, State] = {}
    for index in known[~done[known]].tolist():
        one = int(owner[index])
        state = states.read(index, definitions)
        for key, value in changes(latest.get(one, {}), state):
            rows.change(one, int(position[index]), key, value)
        latest[one] = state
    for one, state in latest.items():
        if ends_batch[one]:
            for key, value in state.items():
                if isinstance(value, float):
                    batch_logs.add(key, np.array([one]), np.array([value]))
    return rows, batch_logs


def values_of(
    spans: SpanArrays, parsed: Parsed, since: int, definitions: KnownDefinitions
) -> tuple[Indices, Indices, list[tuple[str, float | str]]]:
    """The values of variables that the records of a window tell from the number `since` on: for each its owner, the
    innermost span that was open, its site, and its key and value."""
    states = States.of(parsed, "values")
    owner = innermost(spans, parsed, parsed.annotation_before[states.loose])
    wanted = (owner >= 0) & (spans.fit[owner] >= 0) & (spans.number[owner] >= 0)
    wanted &= (parsed.annotation_start[states.loose] >= since) & ~states.lost(definitions)
    told = [(index, states.read(index, definitions)) for index in np.flatnonzero(wanted).tolist()]
    found = [(index, item) for index, state in told for item in state.items()]
    index = np.array([place for place, _ in found], np.int64)
    site = -(parsed.numbers[parsed.annotation_start[states.loose]] + 1)
    return owner[index], site[index], [item for _, item in found]
