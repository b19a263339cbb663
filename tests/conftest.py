"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest

SHARED = ("pair", "trained", "walked", "walked_whole")
"""Fixtures that train an engine, and whose tests lie in several files."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send the tests of one file, or of one engine's run, to the same worker of pytest-xdist."""
    for item in items:
        arguments = getattr(getattr(item, "callspec", None), "params", {})
        engine = next((f"{item.path.parent} {name} {arguments[name]}" for name in SHARED if name in arguments), None)
        item.add_marker(pytest.mark.xdist_group(engine or str(item.path)))


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Programs that tests start get the signals of a terminal, also where the tests run in the background or by nohup.

    What is ignored here would be ignored there; a handler is not handed on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
