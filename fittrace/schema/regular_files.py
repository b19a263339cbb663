"""Opens the files of a run without following links.

A trace may come from a stranger, and a link could lead out of it. FIFOs, sockets and devices are not opened either:
opening one could wait forever.
"""

import errno
import os
import stat
from typing import BinaryIO

_FLAGS = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _FLAGS |= getattr(os, _name, 0)  # no system has all of them


class NotRegular(OSError):
    """A path of a run's file is a link or something else that is no regular file."""


def is_folder(path: "os.PathLike[str]") -> bool:
    """Whether `path` is a folder. A link to a folder is none."""
    return stat.S_ISDIR(_mode(path))


def is_file(path: "os.PathLike[str]") -> bool:
    """Whether `path` is a regular file. A link to a file is none."""
    return stat.S_ISREG(_mode(path))


def what_stands_there(path: "os.PathLike[str]") -> "str | None":
    """What `path` is, in words, if it is neither a regular file nor a folder. None if it is one, or does not exist."""
    mode = _mode(path)
    if stat.S_ISLNK(mode):
        return "a link, which may lead out of the run and is not followed"
    return "neither a file nor a folder" if mode and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode) else None


def open_regular(path: str) -> BinaryIO:
    """Open the regular file `path` for reading. Raises `NotRegular` if it is none, and `OSError` as `open` does."""
    problem = what_stands_there(path)  # type: ignore[arg-type]
    if problem is not None:
        raise NotRegular(errno.EINVAL, problem, path)
    # The path may have been replaced since. So the flags refuse a link too, and the open file is checked again.
    handle = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotRegular(errno.EINVAL, "not a regular file", path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _mode(path: "os.PathLike[str]") -> int:
    """The mode of `path` itself, links not followed; 0 if it cannot be read."""
    try:
        return os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0
