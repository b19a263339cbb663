"""What is recorded outside of any fit is forgotten, so that a program that trains without `fit` may go on for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fittrace.capture.session import Session

from .fake_session import compiled


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("fittrace.capture.journal.background_threads.PERIOD_S", 3600)  # `collect` is called here alone
    return Session(str(tmp_path))


def test_nothing_is_kept_before_the_first_fit(session: Session, tmp_path: Path) -> None:
    session.recorder.record((-5, 1))
    session.collect()
    assert len(session._threads.all[0].buffer) == 0
    assert not (tmp_path / "journal").exists()
    session.recorder.enter(-6, None)
    session.recorder.mark(-6)
    assert len(session._threads.all[0].buffer) == 2
    session.close()
    (journal,) = (tmp_path / "journal").iterdir()
    assert journal.stat().st_size > 0


@pytest.mark.parametrize(
    "moment", ["journal.own_file._private", "journal.own_file._pinned", "journal.writer._definition", "recording.block"]
)
def test_what_interrupts_the_opening_leaves_no_second_journal(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"fittrace.capture.{moment}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.recorder.enter(-6, None)
    session.recorder.enter(-6, None)
    session.recorder.mark(-6)
    session.close()
    (journal,) = (tmp_path / "journal").iterdir()
    assert journal.stat().st_size > 0


def test_nothing_of_a_fit_is_forgotten(session: Session) -> None:
    session.recorder.record((-5, 1))
    session.recorder.enter(-6, None)
    session.collect()
    assert session._threads.all[0].chunks == 1
    session.close()


RECORDS = """
import sys, types
native = "fittrace.capture._native"
if sys.argv[2] == "none":
    sys.modules[native] = None
if sys.argv[2] == "older":
    sys.modules[native] = types.ModuleType(native)
    vars(sys.modules[native]).update(VERSION=0, Probes=object, Buffer=list, packed=len)
from fittrace.capture import Session
session = Session(sys.argv[1])
session.recorder.enter(-6, None)
session.close()
"""


@pytest.mark.parametrize("module, probes", [("own", "compiled"), ("none", "python"), ("older", "python")])
def test_the_journal_says_which_probes_have_recorded(tmp_path: Path, module: str, probes: str) -> None:
    """A module that was compiled for another version of the Python code is not used."""
    if probes == "compiled":
        compiled()
    subprocess.run([sys.executable, "-c", RECORDS, str(tmp_path), module], check=True)
    (journal,) = (tmp_path / "journal").iterdir()
    assert f'"probes": "{probes}"'.encode() in journal.read_bytes()
