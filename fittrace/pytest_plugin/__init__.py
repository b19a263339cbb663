"""The pytest plugin: the fixture `fit_trace`, and `pytest --fittrace`.

Every pytest in an environment with fittrace loads it. So it imports the rest of fittrace only when it is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .assertions import FitTrace
    from .suite import Suite

_SUITE: pytest.StashKey[Suite] = pytest.StashKey()
"""The recordings of this pytest process, once there are any."""
_FOLDER: pytest.StashKey[Path] = pytest.StashKey()
"""The folder of the runs, with `--fittrace`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--fittrace`."""
    text = "trace every fit of the tests into a new folder under traces/, a run for each test"
    parser.getgroup("fittrace").addoption("--fittrace", action="store_true", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """With `--fittrace`, choose the folder of the runs. A worker of pytest-xdist gets it from its controller."""
    if not config.option.fittrace:
        return
    from ..launch import RepeatedRuns
    from ..launch.run_folder import timestamped_name
    from ..schema.errors import FittraceError

    try:
        RepeatedRuns.check()
    except FittraceError as error:
        raise pytest.UsageError(str(error)) from None
    folder = getattr(config, "workerinput", {}).get("fittrace")
    config.stash[_FOLDER] = Path("traces", timestamped_name("pytest")).absolute() if folder is None else Path(folder)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Send the folder of the runs to a worker of pytest-xdist."""
    if _FOLDER in node.config.stash:
        node.workerinput["fittrace"] = str(node.config.stash[_FOLDER])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """With `--fittrace`, record the test and its fixtures."""
    if _FOLDER not in item.config.stash:
        return (yield)
    suite = _suite(item.config)
    suite.begin(item.nodeid)
    try:
        return (yield)
    finally:
        suite.end()


@pytest.fixture
def fit_trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FitTrace]:
    """The trace of this test's fits: its tables, `assert_hook_order`, and a text to compare with a snapshot."""
    folder = tmp_path_factory.mktemp("fittrace")
    with _suite(request.config).fit_trace(request.node.nodeid, folder) as trace:
        yield trace


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """With `--fittrace`, print where the traces are."""
    if _FOLDER not in config.stash:
        return
    from ..schema.safe_text import printable
    from ..store.run_files import run_directories

    folder = config.stash[_FOLDER]
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    count = len(run_directories(folder))
    terminalreporter.section("fittrace")
    terminalreporter.line(
        printable(f"{count} runs, one for each test that fitted, are in {shown}; look at them: fittrace ls {shown}")
        if count
        else "no test called fit, evaluate or predict of a Keras model"
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """Restore the engines' own code."""
    if _SUITE in config.stash:
        config.stash[_SUITE].close()


def _suite(config: pytest.Config) -> Suite:
    """The recordings of this pytest process, made when a test first needs them."""
    if _SUITE not in config.stash:
        from .suite import Suite

        config.stash[_SUITE] = Suite(config.stash.get(_FOLDER, None))
    return config.stash[_SUITE]
