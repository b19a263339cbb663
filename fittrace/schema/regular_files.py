"""The files and folders of a run, without links: a trace may come from a stranger, and a link leads out of it.

A FIFO, a socket or a device in the place of a file is no file either: opening one could wait for ever.
"""

import errno
import os
import stat
from typing import BinaryIO

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)  # not every system has each


class NotRegular(OSError):
    """A link, or something else that is no regular file, where a run keeps a file."""


def is_folder(path: "os.PathLike[str]") -> bool:
    """Whether `path` is a folder itself; a link to a folder is not."""
    return stat.S_ISDIR(_mode(path))


def is_file(path: "os.PathLike[str]") -> bool:
    """Whether `path` is a regular file itself; a link to a file is not."""
    return stat.S_ISREG(_mode(path))


def what_stands_there(path: "os.PathLike[str]") -> "str | None":
    """What is wrong with `path` as a file or folder of a run, in words; None where it is one, or nothing is there."""
    mode = _mode(path)
    if stat.S_ISLNK(mode):
        return "a link, which may lead out of the run and is not followed"
    return "neither a file nor a folder" if mode and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) else None


def open_regular(path: str) -> BinaryIO:
    """Open the regular file `path` for reading. Raises `NotRegular` where it is none, and `OSError` as `open` does."""
    told = what_stands_there(path)  # type: ignore[arg-type]
    if told is not None:
        raise NotRegular(errno.EINVAL, told, path)
    # What the path names may have changed since: the flags and the second look are about what was opened.
    handle = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegular(errno.EINVAL, "not a regular file", path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _mode(path: "os.PathLike[str]") -> int:
    """The mode of `path` itself, 0 where there is nothing that can be looked at."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0
