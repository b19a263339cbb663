"""A program's descriptors are its own: it may close any, or put another file in its place. The journal goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import fittrace

from .processes import HERE, PROGRAMS, Pair, environ, finish, run_both, start, traced_command

ENGINE = HERE.parent / "crash" / "engine"


def both(folder: Path, scenario: str) -> Pair:
    (folder / "files").mkdir()
    return run_both(folder, [str(PROGRAMS / "descriptors.py"), scenario, str(folder / "files")], ENGINE)


TAKING = ["daemonise", "close_all", "close", "dup2_file", "dup2_socket", "dup2_pipe", "use_up"]


@pytest.mark.parametrize("scenario", TAKING)
def test_nothing_goes_into_a_file_of_the_program_and_nothing_is_lost(tmp_path: Path, scenario: str) -> None:
    pair = both(tmp_path, scenario)
    assert pair.traced == pair.plain
    assert (pair.plain.returncode, pair.plain.stderr) == (0, "")
    batches = [100] * (4 if scenario == "use_up" else 3)
    assert list(pair.fits.batches) == [*batches[1:], 40]
    assert set(pair.fits.status) == {"ok"}
    assert pair.trace.processes().ending.tolist() == ["closed"]
    # The journal's number is above 256; and where none is free, it cannot be opened again for a while.
    told = {"daemonise": [], "use_up": ["fault", "journal"]}.get(scenario, ["journal"])
    assert sorted(pair.trace.notes().kind) == told, pair.trace.notes().message.tolist()


def test_a_program_that_removes_its_trace_trains_on_and_is_told_once(tmp_path: Path) -> None:
    pair = both(tmp_path, "remove")
    assert (pair.traced.returncode, pair.traced.stdout) == (pair.plain.returncode, pair.plain.stdout)
    assert pair.traced.stderr == pair.plain.stderr
    command = traced_command(tmp_path, [str(PROGRAMS / "descriptors.py"), "remove", str(tmp_path / "files")])
    command.remove("--quiet")
    told = finish(start(command, environ(ENGINE), tmp_path))
    assert told.stderr.count("the run's folder was deleted while the program ran, and the trace with it") == 1


def test_a_program_that_removes_its_journals_alone_is_told_at_once(tmp_path: Path) -> None:
    pair = both(tmp_path, "remove_journals")
    assert (pair.traced.returncode, pair.traced.stdout) == (pair.plain.returncode, pair.plain.stdout)
    assert pair.traced.stderr.count("its journal was removed while the program ran; nothing more is kept") == 1


FAKED = """
import os, threading
import keras
from pyfakefs.fake_filesystem_unittest import Patcher

class Waiting:
    def __getattr__(self, name):
        if name == "on_epoch_end":
            threading.Event().wait(0.5)
        return lambda *given, **named: None

with Patcher():
    keras.Model().fit(3, callbacks=[Waiting()])
    print(sorted(os.listdir("/")))
keras.Model().fit(4, callbacks=[Waiting()])
"""


def test_files_that_are_faked_have_nothing_of_the_trace(tmp_path: Path) -> None:
    (tmp_path / "faked.py").write_text(FAKED)
    pair = run_both(tmp_path, [str(tmp_path / "faked.py")], ENGINE)
    assert pair.traced == pair.plain
    assert pair.plain.returncode == 0, pair.plain.stderr
    assert list(pair.fits.batches) == [3, 4]
    assert pair.trace.notes().empty


INLINE = """
import os, shutil, sys
import keras
import fittrace

with fittrace.trace(sys.argv[1], "run") as run:
    keras.Model().fit(3)
    if sys.argv[2] == "remove":
        shutil.rmtree(run.path)
    else:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        mine = [os.open(os.devnull, os.O_RDONLY) for _ in range(3, os.sysconf("SC_OPEN_MAX"))]
        for number in mine[:20]:
            os.close(number)
    keras.Model().fit(4)
if sys.argv[2] == "close":
    print(all(os.path.samestat(os.fstat(number), os.stat(os.devnull)) for number in mine[20:]))
"""


@pytest.mark.parametrize("what", ["close", "remove"])
def test_a_block_ends_as_ever_whatever_became_of_its_folder_and_descriptors(tmp_path: Path, what: str) -> None:
    (tmp_path / "inline.py").write_text(INLINE)
    command = [
        "sh",
        "-c",
        'ulimit -n 1024; exec "$@"',
        "sh",
        sys.executable,
        "inline.py",
        str(tmp_path / "traces"),
        what,
    ]
    ended = finish(start(command, environ(ENGINE), tmp_path))
    assert ended.returncode == 0, ended.stderr
    if what == "remove":
        assert ended.stderr.count("its journal was removed") == 1
    else:
        assert (ended.stdout, ended.stderr) == ("True\n", "")
        assert list(fittrace.open(tmp_path / "traces" / "run").fits().batches) == [3, 4]
