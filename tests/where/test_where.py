"""`fittrace where` on trainings that hang, and what it says where it cannot look."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from faithful.processes import environ
from reading.stores import small_tables, write_run

import fittrace
from fittrace.cli import main
from fittrace.store.live import python_stacks
from fittrace.store.locks import is_locked, locked
from fittrace.store.stalls import Stall, append_stall, stalls_of

PROGRAM = Path(__file__).parent / "programs" / "hangs.py"
FITTRACE = [sys.executable, "-m", "fittrace"]
SAID = {
    "callback": [
        "fit 0: in Sleeping.on_epoch_end, epoch 1\n",
        "  Sleeping.on_epoch_end sleeps\n",
        "  thread MainThread waits for a sleep to end:\n",
        "        time.sleep(600)\n",
    ],
    "deadlock": [
        "fit 0: in Locking.on_epoch_end, epoch 1\n",
        "  a deadlock, if each holds what the other waits for: Locking.on_epoch_end waits for a lock, ",
        ", so does thread writer\n",
        "  thread writer waits for a lock:\n",
        "        with second, first:  # the other way round\n",
    ],
    "worker": [
        "fit 0: in function, epoch 0, batch ",
        "  the data loader waits for a worker process, and none of them works: one has died over its batch\n",
        ": a worker process\n",
    ],
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has started"),
]


@pytest.fixture(scope="module")
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The folders of runs that hang, each in another way, once the journal of each grows no more."""
    folder = tmp_path_factory.mktemp("hanging")
    programs = [
        subprocess.Popen(
            [*FITTRACE, "run", "--quiet", "--out", str(folder), "--name", way, str(PROGRAM), way],
            env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder,
        )
        for way in SAID
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not all(_stands(folder / way) for way in SAID):
            time.sleep(1)
        yield {way: folder / way for way in SAID}
    finally:
        for program in programs:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def _stands(run: Path) -> bool:
    """Whether a fit of the run is where it was three seconds ago."""

    def position() -> Any:
        try:
            fits = fittrace.open(run).fits()
        except fittrace.FittraceError:
            return None
        return fits[["at_span", "batches"]].to_numpy().tolist()

    before = position()
    time.sleep(3)
    return bool(before) and position() == before


def said_of(run: Path | str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["where", str(run)]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("way", SAID)
def test_where_it_hangs(hanging: dict[str, Path], way: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said_of(hanging[way], capsys)
    assert [line for line in SAID[way] if line not in text] == [], text
    assert "  the last batch ended " in text and "background_threads.py" not in text


def test_a_process_is_found_by_its_number(hanging: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    pid = int(fittrace.open(hanging["callback"]).processes()["pid"].iloc[0])
    assert "in Sleeping.on_epoch_end, epoch 1" in said_of(str(pid), capsys)


def test_the_newest_run_that_goes_on_is_meant(
    hanging: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hanging["callback"].parent
    assert said_of(folder, capsys).startswith(str(folder))
    monkeypatch.chdir(folder)
    assert main(["where"]) == 2
    assert "no run goes on in traces/" in capsys.readouterr().err


def test_without_py_spy_the_position_is_told(
    hanging: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    text = said_of(hanging["callback"], capsys)
    assert "in Sleeping.on_epoch_end" in text
    assert "py-spy is not installed; install it with `pip install fittrace[where]`" in text


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Error: Permission Denied: Try running again with elevated permissions", "kernel.yama.ptrace_scope"),
        ("Error: Failed to find python version from target process", "it may have just ended, or run no Python"),
        ("", "no reason is given"),
    ],
)
def test_why_stacks_cannot_be_read(
    said: str, remedy: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr("subprocess.run", lambda *args, **options: failed)
    with pytest.raises(python_stacks.NoStacks, match=remedy):
        python_stacks.python_stacks(4711)


def test_bad_input_gets_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path / "run", tables=small_tables())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for given, text in (
        (str(run), f"{run}: the run has ended; `fittrace show {run}` says where it stood"),
        (str(gone.pid), f"process {gone.pid}: there is none of this number here"),
        (str(os.getpid()), f"process {os.getpid()}: `fittrace run` did not start it; give the folder of its run"),
        (str(tmp_path / "nothing"), "not a fittrace run"),
    ):
        assert main(["where", given]) == 2
        assert text in capsys.readouterr().err


def test_a_stall_is_reported_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*FITTRACE, "run", "--quiet", "--hang-after", "3s", "--out", str(tmp_path), "--name", "run"]
    program = subprocess.Popen(
        [*command, str(PROGRAM), "callback"],
        env=environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=tmp_path,
    )
    try:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline and not stalls_of(tmp_path / "run"):
            time.sleep(0.5)
        time.sleep(5)  # in which it could be reported again
        program.terminate()
        _, said = program.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
    assert said.count("fittrace: nothing has been recorded for ") == 1
    assert "fit 0: in Sleeping.on_epoch_end, epoch 1\n" in said and "  Sleeping.on_epoch_end sleeps\n" in said
    (stall,) = stalls_of(tmp_path / "run")
    assert 3 <= stall.seconds < 60 and "        time.sleep(600)" in stall.lines
    assert main(["show", "--brief", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert ": fit 0: in Sleeping.on_epoch_end, epoch 1; stalls.jsonl has the stacks\n" in shown


@pytest.mark.parametrize("wrong", ["0", "-1s", "ten", "10d", "nan", ""])
def test_a_time_to_hang_is_a_time(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", f"--hang-after={wrong}", "train.py"])
    assert "not a time such as 90s, 10m or 2h" in capsys.readouterr().err


def test_damaged_stalls_are_left_out(tmp_path: Path) -> None:
    append_stall(tmp_path, Stall(5, 3.0, ["fit 0: \x1b[2J"]))
    with open(tmp_path / "stalls.jsonl", "ab") as file:
        for row in (
            b"{",
            b"[]",
            b'{"time_ns": 1}',
            b'{"time_ns": -1, "seconds": 1, "lines": []}',
            b"\xff",
            b"[" * 9999,
        ):
            file.write(row + b"\n")
    assert stalls_of(tmp_path) == [Stall(5, 3.0, ["fit 0: \x1b[2J"])]
    link = tmp_path / "other"
    link.mkdir()
    (link / "stalls.jsonl").symlink_to(tmp_path / "stalls.jsonl")
    assert stalls_of(link) == []
    with pytest.raises(OSError):
        append_stall(link, Stall(5, 3.0, []))


def test_a_link_in_a_run_is_not_followed_to_see_whether_it_goes_on(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("{}")
    link, folder = tmp_path / "link", tmp_path / "folder"
    link.symlink_to(outside)
    with locked(outside):
        assert is_locked(outside) and not is_locked(link)
    folder.symlink_to(tmp_path)
    with locked(tmp_path):
        assert is_locked(folder)  # as a user may name a run
