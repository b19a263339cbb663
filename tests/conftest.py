"""What holds for all tests."""

from __future__ import annotations

import signal
from inspect import signature

import pytest

SHARED = {
    "pair": "training",
    "newest": "training",
    "trained": "trained",
    "walked": "walked",
    "walked_whole": "walked_whole",
    "digits": "digits",
    "seen": "seen",
    "measured": "measured",
    "recorded": "recorded",
    "sent_live": "sent_live",
}
"""Fixtures that train the engine which is their parameter, and what tests of one engine share by them."""

CPU_S = {
    "tests/crash/test_fuzz.py": 75,
    "tests/fuzz/test_hostile_runs.py": 60,
    "tests/plugin/test_fit_trace.py": 60,
    "tests/docs/test_readme.py": 50,
    "tests/cases recorded 3.15.1": 50,
    "tests/cases recorded 2.2.4": 50,
    "tests/engines trained": 50,
    "tests/faithful training": 40,
    "tests/export/test_viewers.py": 30,
    "tests/otel/test_live.py": 30,
    "tests/replay walked": 18,
    "tests/otel measured": 10,
    "tests/otel seen": 10,
    "tests/engines digits": 10,
    "tests/cases recorded": 10,
    "tests/cases/test_cases.py": 8,
    "tests/otel sent_live": 15,
    "tests/golden": 6,
}
"""About how many CPU seconds the longest groups take, by how their names begin."""


def group_of(item: pytest.Item) -> str:
    """The tests that go to the same worker of pytest-xdist: those of one engine's run, or those of one file.

    A slow test that asks for no fixture but a folder shares nothing, and goes alone.
    """
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    file = item.path.relative_to(item.config.rootpath)
    for fixture, shared in SHARED.items():
        if fixture in parameters:
            return f"{file.parent} {shared} {parameters[fixture]}"
    if isinstance(item, pytest.Function) and item.get_closest_marker("slow"):
        asked = signature(item.function).parameters.keys() - parameters.keys()
        if asked <= {"tmp_path"}:
            return item.nodeid
    return str(file)


def cpu_s(group: str) -> int:
    """About how many CPU seconds a group takes; 0 where that is little."""
    return next((seconds for begin, seconds in CPU_S.items() if group.startswith(begin)), 0)


# Before pytest-xdist, whose own hook puts the groups into the names that it goes by: a mark made later says nothing.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for pytest-xdist, and begin with the longest groups, so that all workers end together.

    Without pytest-xdist too, the tests of a group come one after the other, so that they share what they train.
    """
    groups = {item: group_of(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (-cpu_s(groups[item]), groups[item]))


@pytest.fixture(scope="session", autouse=True)
def _signals() -> None:
    """Programs that tests start get the signals of a terminal, also where the tests run in the background or by nohup.

    What is ignored here would be ignored there; a handler is not handed on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
