"""The journal's file stays ours, or is left alone, whatever the program does to its descriptor."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from fittrace.capture.journal import own_file
from fittrace.capture.journal.own_file import OwnFile, Removed
from fittrace.store.locks import is_locked, locked

from .fake_session import compiled


class Own:
    """A file, and how often it had to be opened again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reopened = 0
        self.file = OwnFile(str(path), self.reopen)

    def reopen(self) -> None:
        self.reopened += 1

    @property
    def number(self) -> int:
        return self.file._number


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    made = Own(tmp_path / "new" / "one.journal")
    yield made
    made.file.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[int]:
    """A descriptor of the program's."""
    number = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.write(number, b"theirs")
    yield number
    os.close(number)


def test_its_number_is_none_that_the_program_would_get(own: Own) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert own.number >= min(limit, own_file.HIGHEST) - 64
    assert not os.get_inheritable(own.number)


def test_what_is_appended_is_there_after_the_number_was_closed(own: Own) -> None:
    own.file.append(b"one")
    os.close(own.number)
    own.file.append(b"two")
    os.close(own.number)
    own.file.append(b"three")
    assert own.path.read_bytes() == b"onetwothree"
    assert own.reopened == 2


def test_what_took_its_number_is_left_alone(own: Own, other: int) -> None:
    number = own.number
    os.dup2(other, number)
    own.file.append(b"ours")
    assert own.file._number != number
    os.dup2(other, own.number)
    theirs = own.number
    own.file.close()
    assert os.pread(number, 100, 0) == os.pread(theirs, 100, 0) == b"theirs"
    assert own.path.read_bytes() == b"ours"
    os.close(number)
    os.close(theirs)


def test_its_lock_stays_while_the_number_is_closed(own: Own, other: int) -> None:
    compiled()
    os.close(own.number)
    assert is_locked(own.path)
    own.file.append(b"ours")
    os.dup2(other, own.number)
    assert is_locked(own.path)
    number = own.number
    own.file.close()
    assert not is_locked(own.path)
    os.close(number)


def test_without_a_pin_it_is_locked_again_with_the_next_look(own: Own) -> None:
    own.file._pin = None
    os.close(own.number)
    assert not is_locked(own.path)
    assert own.file.size() == 0
    assert is_locked(own.path)


def test_a_child_that_is_forked_off_holds_nothing(own: Own) -> None:
    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        own.file.close()
        os.read(theirs, 1)
        os._exit(0)
    os.close(theirs)
    assert is_locked(own.path)
    own.file.close()
    # The child closes its own when it comes to it.
    while is_locked(own.path):
        pass
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    os.close(ours)
    os.waitpid(child, 0)


def as_link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(b"theirs")
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("instead", [None, Path.touch, Path.mkdir, os.mkfifo, as_link])
def test_a_file_that_is_gone_is_not_replaced_by_another(own: Own, instead: object) -> None:
    own.file.append(b"ours")
    own.path.unlink()
    if callable(instead):
        instead(own.path)
    with pytest.raises(Removed):
        own.file.append(b"ours")
    os.close(own.number)
    with pytest.raises(Removed):
        own.file.append(b"ours")
    with pytest.raises(Removed):
        own.file.append(b"ours")
    assert instead is not as_link or own.path.read_bytes() == b"theirs"


def test_a_folder_is_locked_without_a_claim_to_its_number(tmp_path: Path, other: int) -> None:
    with locked(tmp_path) as free:
        assert free
        (number,) = [
            int(name)
            for name in os.listdir("/proc/self/fd")
            if os.path.realpath(f"/proc/self/fd/{name}") == str(tmp_path)
        ]
        os.dup2(other, number)
    assert os.pread(number, 100, 0) == b"theirs"
    os.close(number)
