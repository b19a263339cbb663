"""`with fittrace.trace():` in a notebook ends with a display of the run; nowhere else does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import fittrace
from fittrace.launch.in_process import Run
from fittrace.launch.notebook import displayed_at_end

IPython = pytest.importorskip("IPython")


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is displayed while a kernel is active."""
    shown: list[object] = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def test_a_run_in_a_notebook_is_displayed(displayed: list[object], tmp_path: Path) -> None:
    with fittrace.trace(out=tmp_path) as run:
        assert displayed == []
    assert displayed == [run]
    assert "There are no fits." in (run._repr_html_() or "")


def test_an_exception_of_the_block_stays_itself(displayed: list[object]) -> None:
    with pytest.raises(KeyboardInterrupt), displayed_at_end("run"):
        raise KeyboardInterrupt
    assert displayed == ["run"]


def test_a_fault_of_the_display_is_not_the_users(displayed: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(shown: object) -> None:
        raise RuntimeError("no display")

    monkeypatch.setattr("IPython.display.display", fail)
    with displayed_at_end("run"):
        pass
    assert Run(Path("gone"))._repr_html_() is None


def test_ipython_in_a_terminal_displays_nothing(displayed: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IPython, "get_ipython", SimpleNamespace)
    with displayed_at_end("run"):
        pass
    assert displayed == []


def test_plain_python_imports_no_ipython(tmp_path: Path) -> None:
    program = (
        "import sys, fittrace\n"
        f"with fittrace.trace(out={str(tmp_path)!r}): pass\n"
        "print('IPython' in sys.modules, 'fittrace.tables' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False False\n", "")
