"""What `--redact` leaves out of texts, so that a page can be sent to others."""

from __future__ import annotations

import re

# Two parts at least, so that units ("ms/step") and fractions ("3/8") stay. A path that begins a text, or that follows a
# space, a quote or a bracket, is absolute, relative to the home folder, or begins with a drive.
_PATH = re.compile(r"""(?<![^\s'"(\[{=<:,])(?:~|\.{1,2}|[A-Za-z]:)?[/\\][^\s'"()\[\]{}<>:,;]+""")

LEFT_OUT = "<path>"
"""What stands for a path that was left out."""


def without_paths(text: str) -> str:
    r"""`text` with `LEFT_OUT` for each path of a file.

    >>> without_paths("cannot write '/home/me/run/part-0.parquet': disk full")
    "cannot write '<path>': disk full"
    >>> without_paths(r"C:\Users\me\model.h5 is gone, 12 ms/step")
    '<path> is gone, 12 ms/step'
    """
    return _PATH.sub(LEFT_OUT, text)


def exception_type(error: str) -> str:
    """The type of an exception without its message, which may hold anything.

    >>> exception_type("FileNotFoundError: /home/me/data.csv")
    'FileNotFoundError'
    """
    return error.partition(":")[0]
