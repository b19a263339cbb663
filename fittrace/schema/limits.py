"""Limits on what a reader accepts from a trace, which may come from a stranger.

Traces of the recorder are within them, for the reason given with each. Whatever a journal contains, opening it takes at
most `MEMORY_RATIO` times its size and `MEMORY_FREE` more memory (`tests/crash/test_bombs.py`).

A pair of limits such as `UNPACKED_RATIO` and `UNPACKED_FREE` is an amount for each byte of the file and a fixed amount
that is added.
"""

from __future__ import annotations

MEMORY_RATIO = 128
"""Bytes of memory for each byte of a run's files. A packed record of 2 bytes becomes a row of 200."""
MEMORY_FREE = 2 << 30
"""Bytes of memory for every run: one window of records, and the libraries."""

RUN_JSON = 16 << 20
"""Bytes of `run.json`. Its largest part is the command line, which Linux limits to 2 MiB."""

LATEST_NS = 1 << 62
"""Times in Unix nanoseconds are below. It is in the year 2116, which tables and Python can still represent."""

REREAD_RATIO, REREAD_FREE = 4, 64 << 20
"""Bytes of damaged blocks that are read again. After damage, the reader looks for the next block inside the damaged
one. A damaged disk makes it read each byte twice, but forged nested headers could make it a million times."""

UNPACKED_RATIO, UNPACKED_FREE = 64, 64 << 20
"""Bytes after decompression. Records unpack to 4 to 10 times their size, TensorFlow's reports to 5 to 15 times."""

LOST_PLACES = 1024
"""Places in a journal where records are lost or make no sense. Each costs some milliseconds to read on. With more of
them, little of the trace is left."""

THREADS_FREE, BYTES_PER_THREAD = 1024, 128
"""Threads: so many for every journal, and one for each so many bytes: its name, a block's head and a call."""

FITS_FREE, BYTES_PER_FIT = 1 << 16, 64
"""Fits, and callback lists: so many for every journal, and one for each so many bytes."""

WHOLE_FREE, BYTES_PER_NUMBER = 4 << 20, 2
"""Numbers of a thread that are in memory at once, as those of a fit inside a hook are: so many for every journal, and
one for each so many bytes. A packed number takes more than two bytes."""

DEEPEST = 4096
"""Depth of nested calls and spans. Python allows a depth of 1,000 calls, and few of them are the engine's."""
DEEP_ALWAYS, DEEP_WORK = 64, 1 << 27
"""Depth among many records: `DEEP_ALWAYS` is always allowed, more only while depth times records is below `DEEP_WORK`,
since each depth is a pass over the records. The depth in an engine is about ten."""

LONGEST_NAME = 256
"""Characters in the name of a class or hook. Each pair of them becomes a text of its own."""

LONGEST_PATH = 4096
"""Characters in the path of a program's file, as Linux allows."""

BATCH_KEYS = 4096
"""Keys of logs that become columns of `batches`. The table `logs` has all keys."""
BATCH_CELLS = 16 << 20
"""Cells of these columns in memory at once, empty ones included."""

LATE_LOGS = 1 << 18
"""Unfinished batches with logs from another thread."""

PATH_CODES = 1 << 28
"""Records in all paths of a process. Arrow's lists have 32-bit offsets."""

SAMPLES = 1 << 20
"""Samples in the order of an epoch. The recorder keeps no longer orders."""
STRETCHES_FREE, STRETCHES_PER_BYTE = 1 << 16, 64
"""Runs of consecutive samples in all orders of a process. Shuffled samples are runs of one, and take a byte or more
each."""

MESSAGES = 1 << 21
"""Messages in the protobuf of one batch. Each becomes objects of some hundred bytes. TensorFlow needs at least 32 bytes
for one, and the recorder keeps at most 64 MiB of a batch."""
LONGEST_LABEL = 1 << 14
"""Characters in TensorFlow's name of a plane, an op or a thread. Longer names are cut."""

ROW_GROUP = 131_072
"""Rows in a row group of Parquet, as the writer makes them. A database holds one in memory for each thread."""
COLUMNS = BATCH_KEYS + 64
"""Columns in a Parquet file. `batches` has one for each key of logs."""
COLUMN_BYTES, COLUMN_RATIO = 64 << 20, 64
"""Bytes of a column in a row group, or so many for each byte of the file if that is more. Sources and TensorFlow's
reports are large columns, and compress to a fifth or more."""
