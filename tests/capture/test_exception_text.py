"""What is told of exceptions, and that nothing is asked of them."""

from __future__ import annotations

import pytest

from fittrace.capture.record.exception_text import error_text

from .test_kept_values import Hostile, refuse


class HostileError(Exception):
    __str__ = __repr__ = __getattribute__ = refuse


ERRORS: dict[str, BaseException | None] = {
    "ValueError: why": ValueError("why"),
    "ValueError: 'why', 3": ValueError("why", 3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "SystemExit: 5": SystemExit(5),
    "ValueError: <Hostile>": ValueError(Hostile()),
    "HostileError: said": HostileError("said"),
    "unknown": None,
}


@pytest.mark.parametrize("told", ERRORS)
def test_errors_are_told_without_asking_them(told: str) -> None:
    assert error_text(ERRORS[told]) == told
