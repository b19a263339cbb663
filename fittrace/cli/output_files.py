"""Files that a command writes completely or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schema.errors import FittraceError


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """A new file that replaces `output` when the block ends without an exception.

    A link stays, and the file that it leads to is replaced. If `output` is not a file but a pipe, `/dev/null` or the
    like, the block writes to it directly. Raises `FittraceError` if it is a folder.
    """
    if output.is_symlink():
        output = output.resolve()
    if output.is_dir() or not output.name:
        raise FittraceError(f"{output}: a folder; give the name of a file with -o")
    if output.exists() and not output.is_file():
        yield output
        return
    # Nobody can guess the name and put a link there.
    new = output.with_name(f".{output.name}.{secrets.token_hex(4)}.new")
    try:
        yield new
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
