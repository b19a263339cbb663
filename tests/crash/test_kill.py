"""However a run dies, its trace opens, says so, and holds all but the last moment of it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import fittrace

from .runs import PROGRAM, SOURCES, finish, hook_rows, is_prefix, lost_ns, start, start_alone, wait_for

KILLS = [
    pytest.param(range(30), marks=pytest.mark.slow, id="30"),
    pytest.param(range(30, 120), marks=[pytest.mark.slow, pytest.mark.full], id="90 more"),
]
"""Numbers of kills, from each of which comes the moment of the kill."""
MOST_LOST_NS = 1_000_000_000
LONG = ("return", "--steps", 1000, "--epochs", 3, "--batch-s", 0.001)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The hooks of a run that nobody kills."""
    folder = tmp_path_factory.mktemp("whole")
    assert finish(start(folder, folder / "witness", *LONG))[0] == 0
    return hook_rows(fittrace.open(folder / "run"))


def kill_one(folder: Path, after_s: float) -> tuple[fittrace.Trace, list[str]]:
    process = start_alone(folder / "run", folder / "witness", *LONG)
    wait_for(folder / "witness")
    time.sleep(after_s)
    process.kill()
    finish(process)
    return fittrace.open(folder / "run"), wait_for(folder / "witness")


@pytest.mark.parametrize("numbers", KILLS)
def test_killed_at_random_points(tmp_path: Path, whole: list[Any], numbers: range) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = {
            number: pool.submit(kill_one, tmp_path / str(number), random.Random(number).uniform(0, 2))
            for number in numbers
        }
    lost = []
    for number, job in jobs.items():
        trace, witness = job.result()
        assert is_prefix(hook_rows(trace), whole), number
        lost.append(lost_ns(trace, witness))
        if len(trace.fits()):
            assert trace.processes()["ending"].tolist() == ["cut"]
            assert trace.fits()["status"].tolist() == ["unfinished"]
            assert (trace.spans()["duration_ns"] >= 0).all()
            assert trace.spans()["self_ns"].sum() == trace.fits()["duration_ns"].sum()
    assert max(lost) <= MOST_LOST_NS, sorted(lost)[-5:]


# How it ends: what the program's exit code or signal is, how the process' journal ends, what the fit says.
ENDINGS = {
    "return": (0, "closed", "ok"),
    "exit": (4, "closed", "error"),
    "raise": (1, "closed", "error"),
    "interrupt": (-signal.SIGINT, "closed", "error"),
    "memory": (1, "closed", "error"),
    "out-of-memory": (1, "closed", "error"),
    "kill": (-signal.SIGKILL, "cut", "unfinished"),
    "term": (-signal.SIGTERM, "cut", "unfinished"),
    "abort": (-signal.SIGABRT, "cut", "unfinished"),
    "segfault": (-signal.SIGSEGV, "cut", "unfinished"),
    "_exit": (3, "cut", "unfinished"),
    "thread": (5, "cut", "unfinished"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_says_how_the_run_ended(tmp_path: Path, ending: str) -> None:
    code, process_ending, status = ENDINGS[ending]
    found, told = finish(start(tmp_path, tmp_path / "witness", ending))
    trace = fittrace.open(tmp_path / "run")
    facts = trace.runs[0].facts
    assert found == code, told
    assert (facts["signal"], facts["exit_code"]) == ((-code, None) if code < 0 else (None, code))
    assert trace.processes()["ending"].tolist() == [process_ending]
    assert trace.fits()["status"].tolist() == [status]
    witness = wait_for(tmp_path / "witness")
    assert lost_ns(trace, witness) <= MOST_LOST_NS
    assert len(trace.hooks().query("callback == 'Witness' and hook == 'on_train_batch_end'")) >= 119
    assert not (tmp_path / "run" / "journal").exists()


def test_dying_children_take_nothing_along(tmp_path: Path) -> None:
    code, told = finish(start(tmp_path, tmp_path / "witness", "fork"))
    trace = fittrace.open(tmp_path / "run")
    assert code == 0, told
    # The two that are killed never fit; the third fits, and is gone before the collector comes by.
    assert trace.fits().query("process == 0")["status"].tolist() == ["ok"]
    assert trace.processes()["ending"].tolist() == ["closed", "cut"]
    assert trace.batches().query("process == 0 and stage == 'train'")["batch"].tolist() == [*range(50)] * 4


def test_interrupt_from_a_terminal(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole process group, the program among it: the launcher must not send it once more."""
    terminal, theirs = os.openpty()
    process = start(
        tmp_path,
        tmp_path / "witness",
        *LONG,
        stdin=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR)),  # makes it the session's terminal
    )
    os.close(theirs)
    wait_for(tmp_path / "witness", 100)
    os.write(terminal, b"\x03")
    code, told = finish(process)
    os.close(terminal)
    trace = fittrace.open(tmp_path / "run")
    assert code == -signal.SIGINT
    assert told.count("KeyboardInterrupt") == 1
    assert trace.fits()["status"].tolist() == ["error"]
    assert trace.fits()["error"].tolist() == ["KeyboardInterrupt"]


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[int]:
    """A program whose launcher was killed."""
    process = start(tmp_path, tmp_path / "witness", *LONG[:-1], 0.002)
    pid = int(wait_for(tmp_path / "witness", 200)[0].split()[2])
    process.kill()
    process.wait()
    yield pid
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_the_launcher_is_killed_and_the_program_goes_on(tmp_path: Path, orphan: int, whole: list[Any]) -> None:
    trace = fittrace.open(tmp_path / "run")
    assert trace.runs[0].running
    assert trace.processes()["ending"].tolist() == ["running"]
    deadline = time.monotonic() + 60
    while os.path.exists(f"/proc/{orphan}/status") and time.monotonic() < deadline:
        time.sleep(0.05)
    trace = fittrace.open(tmp_path / "run")
    assert not trace.runs[0].running
    assert trace.processes()["ending"].tolist() == ["closed"]
    assert trace.fits()["status"].tolist() == ["ok"]
    assert hook_rows(trace) == whole


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, *(pytest.param(s, marks=pytest.mark.full) for s in (0.3, 0.9)), 1.7, 2.6])
def test_real_keras_is_killed(tmp_path: Path, after_s: float) -> None:
    program = PROGRAM.with_name("keras_train.py")
    variables = {"PYTHONPATH": str(SOURCES)}
    process = start(tmp_path, tmp_path / "witness", program=program, start_new_session=True, variables=variables)
    wait_for(tmp_path / "witness", timeout_s=120)
    time.sleep(after_s)
    running = fittrace.open(tmp_path / "run")
    os.kill(children(process.pid)[0], signal.SIGKILL)
    assert finish(process)[0] == -signal.SIGKILL
    trace = fittrace.open(tmp_path / "run")
    assert trace.runs[0].facts["signal"] == signal.SIGKILL
    assert is_prefix(hook_rows(running), hook_rows(trace))
    assert lost_ns(trace, wait_for(tmp_path / "witness")) <= MOST_LOST_NS
    if len(trace.fits()):
        assert trace.fits()["status"].tolist() == ["unfinished"]
        assert trace.spans()["self_ns"].sum() == trace.fits()["duration_ns"].sum()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
