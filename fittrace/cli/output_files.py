"""Files that a command writes: whole, or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schema.errors import FittraceError


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """A new file that takes the place of `output` when it is written to its end.

    A link stays, and the file that it leads to is replaced. What is no file, such as a pipe or `/dev/null`, is written
    itself. Raises `FittraceError` where `output` is a folder.
    """
    if output.is_symlink():
        output = output.resolve()
    if output.is_dir() or not output.name:
        raise FittraceError(f"{output}: a folder; give the name of a file with -o")
    if output.exists() and not output.is_file():
        yield output
        return
    # Nobody can have put a link there, for nobody knows the name.
    new = output.with_name(f".{output.name}.{secrets.token_hex(4)}.new")
    try:
        yield new
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
