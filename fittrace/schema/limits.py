"""What a trace may ask of its reader, at most. A trace may come from a stranger.

What the recorder writes is within these limits, each for the reason that stands by it. A journal opens in
`MEMORY_RATIO` times its size and `MEMORY_FREE` besides, whatever is in it (`tests/crash/test_bombs.py`).
"""

from __future__ import annotations

MEMORY_RATIO = 128
"""Bytes of memory that opening takes for each byte of a run's files: a packed record of two bytes is a row of 200."""
MEMORY_FREE = 2 << 30
"""Bytes of memory that opening takes besides: one window of records, and the libraries."""

RUN_JSON = 16 << 20
"""Bytes of `run.json`. Its largest part is the command line, for which Linux allows 2 MiB."""

LATEST_NS = 1 << 62
"""Moments, in Unix nanoseconds, are below: it is the year 2116, and tables and times of Python go beyond."""

REREAD_RATIO, REREAD_FREE = 4, 64 << 20
"""Bytes of damaged blocks that are read, for each byte of the journal and besides. After damage the reader looks for
the next block inside the damaged one. A damaged disk makes it read every byte twice, nested headers a million times."""

UNPACKED_RATIO, UNPACKED_FREE = 64, 64 << 20
"""Bytes that blocks may unpack to, for each byte that is stored and besides. Records unpack to 4 to 10 times their
size, and what TensorFlow tells to 5 to 15 times."""

LOST_PLACES = 1024
"""Places in a journal where records are lost or make no sense. Each costs some milliseconds; a disk that is damaged in
more places than that has lost the trace."""

THREADS_FREE, BYTES_PER_THREAD = 1024, 128
"""Threads, and the bytes of the journal that each one more takes: its name, a block's head, one call."""

FITS_FREE, BYTES_PER_FIT = 1 << 16, 64
"""Fits, and lists of callbacks, and the bytes of the journal that each one more takes."""

WHOLE_FREE, BYTES_PER_NUMBER = 4 << 20, 2
"""Numbers of a thread that are worked on as a whole, and the bytes of the journal that each one more takes. They are
those of a fit inside a hook; packed, a number takes more than two bytes."""

DEEPEST = 4096
"""Calls and spans in each other. Python allows 1,000 calls in each other, of which most are none of the engine's."""
DEEP_ALWAYS, DEEP_WORK = 64, 1 << 27
"""Of many records fewer may be in each other, since each depth is worked on apart: so many always, and more as long as
they times the records are no more than that. An engine at work has about ten."""

LONGEST_NAME = 256
"""Characters of the name of a class or hook: each pair of a class and a hook is a text of its own."""

BATCH_KEYS = 4096
"""Keys of logs that become columns of `batches`; all keys are in `logs`."""
BATCH_CELLS = 16 << 20
"""Cells of these columns that are in memory at once, also where a batch has no such key."""

LATE_LOGS = 1 << 18
"""Batches whose logs came from another thread and which have not ended yet."""

PATH_CODES = 1 << 28
"""Records in all paths of a process together: a column of Arrow numbers them with 32 bits."""

SAMPLES = 1 << 20
"""Samples of an epoch whose order is kept: the recorder keeps no longer one."""
STRETCHES_FREE, STRETCHES_PER_BYTE = 1 << 16, 64
"""Stretches of consecutive samples in all orders of a process, and how many more for each byte of an order. Shuffled
samples take a byte and more each."""

MESSAGES = 1 << 21
"""Messages in the protobuf of one batch. Each becomes objects of some hundred bytes. TensorFlow takes 32 bytes and more
for each, and the recorder keeps 64 MiB of a batch."""
LONGEST_LABEL = 1 << 14
"""Characters of the name of a plane, an op or a thread that TensorFlow gives; a longer one is cut."""

ROW_GROUP = 131_072
"""Rows of a row group of Parquet: as many as the writer puts into one. A database holds one for each thread."""
COLUMNS = BATCH_KEYS + 64
"""Columns of a Parquet file: `batches` has one for each key of the logs."""
COLUMN_BYTES, COLUMN_RATIO = 64 << 20, 64
"""Bytes of a column in a row group, or so many for each byte of the file: sources and what TensorFlow told are large,
and are packed to a fifth or more."""
