"""A line of the traced program."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class CodeLine:
    """A line of the traced program.

    - `file`: the path of its file, as the trace has it. Nothing of it may be opened.
    - `line`: the number of the line.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def short(self) -> str:
        """The name of the file and the line.

        >>> CodeLine("/home/me/train.py", 12).short
        'train.py:12'
        """
        return f"{file_name(self.file)}:{self.line}"


def file_name(path: str) -> str:
    """The name of the file at `path`. The run may have been on Windows.

    >>> file_name("/home/me/train.py"), file_name("train.py")
    ('train.py', 'train.py')
    """
    return re.split(r"[/\\]", path)[-1]
