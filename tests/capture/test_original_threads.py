"""Capture's threads and locks are Python's own, whatever a program has put in their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
OLDEST = ROOT / ".venv-keras2" / "bin" / "python"
REPLACED = """
import _thread, threading, time
names = ("RLock", "_local", "allocate_lock", "get_ident", "start_new_thread")
real = {name: getattr(_thread, name) for name in names}
def replaced(function): return lambda *given: function(*given)
theirs = {name: replaced(real[name]) for name in names}
vars(_thread).update(theirs)
from fittrace.capture.isolation import original_threads
from fittrace.capture.isolation.clock import Clock
assert {name: getattr(_thread, name) for name in names} == theirs, "what the program put there was taken away"
def refuse(*_): raise AssertionError("the program's was called")
vars(_thread).update(dict.fromkeys(names, refuse))
time.sleep = refuse
assert original_threads.get_ident() == real["get_ident"]()
class Own(original_threads.Local): pass
own, seen, done = Own(), [], original_threads.allocate_lock()
own.here = 1
done.acquire()
def work():
    seen.append((hasattr(own, "here"), original_threads.get_ident()))
    done.release()
original_threads.start_new_thread(work, ())
assert done.acquire(True, 10)
assert seen[0][0] is False and seen[0][1] != original_threads.get_ident()
Clock.sleep(0)
"""


@pytest.mark.parametrize("python", [Path(sys.executable), OLDEST], ids=["this Python", "the oldest"])
def test_they_are_found_behind_what_replaced_them(python: Path) -> None:
    if not python.exists():
        pytest.skip("no Python 3.7 here; `scripts/legacy-env` gets it")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([str(python), "-c", REPLACED], env=environment, check=True)


def test_they_are_the_modules_own_where_nothing_replaced_them() -> None:
    program = "import _thread; from fittrace.capture.isolation.original_threads import _found; assert _found is _thread"
    subprocess.run([sys.executable, "-c", program], check=True)
