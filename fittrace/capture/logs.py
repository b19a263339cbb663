"""Logs: whether the logs of a hook are what they were, asked before and after every callback.

They mostly are, and mostly they are a few plain numbers under keys that never change. For each set of such keys there
is a `_Shape`: functions made to measure, which compare by identity and so run nobody's code. Whatever has another
shape, or holds anything but numbers, is looked at piece by piece.
"""

from __future__ import annotations

import itertools
import struct
from typing import Any, Callable, Dict, Tuple

from ..schema.journal import WHOLE
from . import values
from .names import Names

_SHAPES = 64
"""Sets of keys that a thread remembers; an engine's logs have a few."""
_WIDEST = 64
"""Keys in a shape, at most."""
_NOTHING: tuple[int, ...] = ()
Same = Callable[[Dict[str, float]], bool]


class _Shape:
    """What is done with logs that are numbers under certain keys.

    `take` records the logs, but where they equal the last, which were of this shape too. It returns a function that
    says whether logs hold the very objects that were taken last, or None where keys or types are not those that
    `adopt` was told. `state` is a dict of what was taken last.
    """

    __slots__ = ("adopt", "state", "take")

    def __init__(
        self,
        take: Callable[[Dict[str, float], bool], "Same | None"],
        adopt: Callable[[Tuple[str, ...], Tuple[type, ...]], None],
        state: Callable[[], Dict[str, float]],
    ) -> None:
        self.take, self.adopt, self.state = take, adopt, state


_MADE_TO_MEASURE = """
def made(record, head, number):
    [{keys}] = [{types}] = [{values}] = [None] * {width}

    def same(logs):
        try:
            [{new_keys}] = logs
            [{new}] = logs.values()
        except ValueError:
            return False
        return {values_are_same} and {keys_are_same}

    def take(logs, last_was_of_this_shape):
        nonlocal {values}
        [{new_keys}] = logs
        [{new}] = logs.values()
        if {keys_are_same} and {types_are_same}:
            if not last_was_of_this_shape or ({new},) != ({values},):
                record((head, number, {operands}))
            {values} = {new}
            return same
        return None

    def adopt(some_keys, some_types):
        nonlocal {keys}, {types}
        [{keys}], [{types}] = some_keys, some_types

    def state():
        return dict(zip(({keys},), ({values},)))

    return take, adopt, state
"""
_makers: dict[str, Callable[..., Any]] = {}


def _maker(kinds: str) -> Callable[..., Any]:
    """What makes the functions of a `_Shape` whose values are of these kinds."""
    if kinds not in _makers:
        places = range(len(kinds))

        def each(form: str, joint: str = ", ") -> str:
            return joint.join(form.format(place) for place in places)

        made: dict[str, Any] = {}
        operands = []
        for kind, run in itertools.groupby(places, kinds.__getitem__):
            names = ["new%d" % place for place in run]
            if kind == "n":
                width = len(names)
                made["pack%d" % width] = struct.Struct("<%dd" % width).pack
                made["unpack%d" % width] = struct.Struct("<%dI" % (2 * width)).unpack
                names = ["*unpack%d(pack%d(%s))" % (width, width, ", ".join(names))]
            operands += names
        expected = {"n": "type(new%d) is type%d", "i": "type(new%d) is type%d and -1 < new%d < " + str(WHOLE)}
        source = _MADE_TO_MEASURE.format(
            width=len(kinds),
            keys=each("key{0}"),
            types=each("type{0}"),
            values=each("value{0}"),
            new_keys=each("new_key{0}"),
            new=each("new{0}"),
            keys_are_same=each("new_key{0} is key{0}", " and "),
            values_are_same=each("new{0} is value{0}", " and "),
            types_are_same=" and ".join(expected[kinds[place]].replace("%d", str(place)) for place in places),
            operands=", ".join(operands),
        )
        exec(source, made)
        _makers[kinds] = made["made"]
    return _makers[kinds]


def looking(record: Callable[[Tuple[int, ...]], None], head: int, names: Names) -> Callable[[Any, bool], Any]:
    """A function that looks at logs for one thread and records them, with the `head` of a state, if they have changed.

    It is called with the logs, and with whether they are the first that a callback list was given. It returns a
    function that tells of this very dict, as long as it is alive, whether it has changed since; or None, where only
    another look can tell.
    """
    plain = values.PLAIN
    known: dict[tuple[tuple[str, ...], str], _Shape] = {}
    # By width: what has as many keys as the last of that width mostly has the same.
    expected: dict[int, _Shape] = {}
    # The shape of what was recorded last, or what it was described as.
    current: _Shape | None = None
    described = _NOTHING

    def shape_of(logs: dict[str, float]) -> _Shape | None:
        for key, value in logs.items():
            if id(type(value)) not in plain or type(key) is not str:
                return None
        keys, types, kinds = tuple(logs), tuple(map(type, logs.values())), values.kinds(logs)
        if not 0 < len(keys) <= _WIDEST:
            return None
        shape = known.get((keys, kinds))
        if shape is None:
            shape = _Shape(*_maker(kinds)(record, head, names.keys(keys, kinds)))
            if len(known) < _SHAPES:
                known[keys, kinds] = shape
        shape.adopt(keys, types)
        return shape

    def look(logs: Any, is_first: bool) -> Same | None:
        nonlocal current, described
        if is_first:
            current, described = None, _NOTHING
        if type(logs) is dict:
            try:
                shape = expected.get(len(logs))
                if shape is not None:
                    same = shape.take(logs, shape is current)
                    if same is not None:
                        current, described = shape, _NOTHING
                        return same
                shape = shape_of(logs)
                if shape is not None:
                    if current is not None and logs == current.state():
                        return None  # perhaps in another order
                    current, described = shape, _NOTHING
                    expected[len(logs)] = shape
                    return shape.take(logs, False)
                if not logs and current is None and not described:
                    return None
            except struct.error:
                pass  # an int that no float can hold
        state = values.describe(logs, names)
        if state != described:
            current, described = None, state
            record((head, *state))
        return None

    return look
