"""The names of Parquet files, which hold a checksum of their bytes: flipped bits never become wrong rows.

Parquet readers do not check the bytes that they decode. A checksum in the name needs no second file, which could be
lost or out of date. Checking takes a third of a second per gigabyte, less than decoding.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..schema.errors import DamagedTrace
from ..schema.regular_files import open_regular

PART = re.compile(r"part-(?P<number>0|[1-9][0-9]{0,8})-(?P<checksum>[0-9a-f]{8})\.parquet")
"""The name of a Parquet file: its number in its partition, and the CRC-32 of its bytes."""


def of_file(path: Path) -> str:
    """The CRC-32 of the bytes of `path`, in hexadecimal."""
    value = 0
    with open_regular(str(path)) as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return f"{value:08x}"


def sealed(path: Path) -> Path:
    """Rename `part-<number>.parquet` so that its name holds its checksum. Returns the new path."""
    return path.rename(path.with_name(f"{path.stem}-{of_file(path)}.parquet"))


def verify(files: Iterable[Path]) -> None:
    """Check the bytes of `files` against their names. Raises `DamagedTrace` for the first that differs."""
    # Threads help, since reading and `zlib.crc32` release the GIL.
    with ThreadPoolExecutor() as threads:
        for _ in threads.map(_verify, files):
            pass


def _verify(file: Path) -> None:
    name = PART.fullmatch(file.name)
    try:
        intact = name is not None and of_file(file) == name["checksum"]
    except OSError as error:
        raise DamagedTrace(f"{file}: cannot be read ({error.strerror}); correct it and open it again") from None
    if not intact:
        raise DamagedTrace(f"{file}: damaged, not the bytes that were written; delete it to read the rest")
