"""Files that are written completely or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schema.errors import FittraceError


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """The path of a new file, which replaces `output` when the block ends without an exception.

    If `output` is a link, the link stays, and the file that it leads to is replaced. A pipe or a device, such as
    `/dev/null`, is written directly. Raises `FittraceError` if `output` is a folder.
    """
    if output.is_symlink():
        output = output.resolve()
    if output.is_dir() or not output.name:
        raise FittraceError(f"{output}: a folder; give the name of a file")
    if output.exists() and not output.is_file():
        yield output
        return
    # The name is random, so nobody can have put a link there before.
    new = output.with_name(f".{output.name}.{secrets.token_hex(4)}.new")
    try:
        yield new
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
