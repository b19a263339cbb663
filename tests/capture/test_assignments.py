"""What statements assign is told, and a debugger is told of the same lines."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from fittrace.engines import Function

from .conftest import Tiny

SOURCE = """
    def shown(given):
        (
            first,
            second,
        ) = given
        both = alike = list(
            given
        )
        (third,
            [fourth, *rest]) = 1, [2, 3]
        return first
"""
TABLE = (Function("tiny", "shown", phase="prepare"),)


def lines(module: ModuleType) -> list[tuple[str, int]]:
    """The events of a call, as a debugger gets them."""
    events: list[tuple[str, int]] = []

    def local(frame: Any, event: str, argument: object) -> Any:
        events.append((event, frame.f_lineno))
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: local if frame.f_code.co_name == "shown" else None)
    try:
        module.shown((1, 2))
    finally:
        sys.settrace(before)
    return events


def test_what_is_assigned_is_told_on_the_line_that_ran_last(tiny: Tiny) -> None:
    module = tiny.load(SOURCE)
    plain = lines(module)
    tiny.install(module, TABLE, variables=True)
    tiny.tape.words.clear()
    assert lines(module) == plain
    told = [site.line for site in tiny.tape.sites if site.kind == "values"]
    assert len(told) == 3
