"""Files that a command writes: whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """A new file that takes the place of `output` when it is written to its end."""
    new = output.with_name(f".{output.name}.new")
    try:
        yield new
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
