"""Known ways to hang, from stacks written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fittrace.analysis.waiting import Waiting, pattern_of, waits_for
from fittrace.store.live.python_processes import ProcessOfMachine
from fittrace.store.live.python_stacks import StackFrame, ThreadStack

LIBRARY = "/usr/lib/python3.11"
POOL = f"{LIBRARY}/multiprocessing/pool.py"
LOADER = "/x/site-packages/keras/src/trainers/data_adapters/py_dataset_adapter.py"


def thread(*files: str, name: str = "MainThread", is_active: bool = False, function: str = "run") -> ThreadStack:
    return ThreadStack(name, is_active, tuple(StackFrame(function, file, 1) for file in files))


@pytest.mark.parametrize(
    ("line", "waiting"),
    [
        ("time.sleep(60)", Waiting.SLEEP),
        ("with self.lock:", Waiting.LOCK),
        ("with locks[0], other:", Waiting.LOCK),
        ("lock.acquire()", Waiting.LOCK),
        ("data = connection.recv(1024)", Waiting.NETWORK),
        ("item = queue.get()", Waiting.RESULT),
        ("with open(path) as file:", Waiting.UNKNOWN),
        ("x = y + 1", Waiting.UNKNOWN),
    ],
)
def test_what_a_line_waits_for(line: str, waiting: Waiting, tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_text(line + "\n")
    assert waits_for(thread(str(file))) is waiting


def test_what_a_library_waits_for() -> None:
    assert waits_for(thread(f"{LIBRARY}/threading.py", "/me/train.py")) is Waiting.LOCK
    assert waits_for(thread(f"{LIBRARY}/threading.py", f"{LIBRARY}/queue.py", "/me/train.py")) is Waiting.RESULT
    assert waits_for(thread(f"{LIBRARY}/ssl.py", f"{LIBRARY}/http/client.py")) is Waiting.NETWORK
    assert waits_for(thread()) is Waiting.UNKNOWN


def test_a_process_that_works_has_no_pattern() -> None:
    assert pattern_of([thread("/me/train.py", is_active=True)], {}, "Mine.on_epoch_end") is None
    assert pattern_of([], {}, None) is None


def test_a_loader_that_waits_for_workers() -> None:
    loader = thread(f"{LIBRARY}/threading.py", LOADER, name="a thread")
    main = thread("/x/site-packages/tensorflow/execute.py")
    idle = [thread(f"{LIBRARY}/multiprocessing/queues.py", POOL, function="worker")]
    busy = [thread("/me/data.py", POOL, function="worker", is_active=True)]
    first, second = ProcessOfMachine(8, "S", "python"), ProcessOfMachine(9, "S", "python")
    found = pattern_of([main, loader], {first: idle, second: idle}, None)
    assert found is not None and "none of them works: one has died over its batch" in found.text
    assert pattern_of([main, loader], {first: idle, second: busy}, None) is None
    assert pattern_of([main, loader], {}, None) is None
    found = pattern_of([main, loader], {ProcessOfMachine(10, "Z", ""): [], second: busy}, None)
    assert found is not None and "process 10 has ended" in found.text
