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
        """The name of the file and the line. The run may have been on Windows.

        >>> CodeLine("/home/me/train.py", 12).short
        'train.py:12'
        """
        name = re.split(r"[/\\]", self.file)[-1]
        return f"{name}:{self.line}"
