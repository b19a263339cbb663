"""Writes a run of a made-up program piece by piece, as if it trained: `growing.py FOLDER PAUSE_S`.

It prints a line when the run can be watched.
"""

from __future__ import annotations

import fcntl
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `crash`

from crash.streams import Program, Shape, blocks_of, drains

from fittrace.schema import run_facts

SEED = 6
PIECES = 40

folder, pause_s = Path(sys.argv[1]), float(sys.argv[2])
(folder / "journal").mkdir(parents=True)
facts = run_facts.new(str(folder), folder.name, ["train.py"], sys.executable, "0.1.0")
shape = Shape(worker=False, nesting=0, fits=1, epochs=9, batches=9, failing=0.0)
program = Program(Random(SEED), shape, longest=10_000).run()  # to its end
blocks = blocks_of(program, drains(Random(SEED), program, PIECES), closed=True)
with (folder / "journal" / f"{facts['start_ns']}-0-1.journal").open("wb", buffering=0) as journal:
    fcntl.flock(journal, fcntl.LOCK_EX)
    print("ready", flush=True)
    for block in blocks:
        half = len(block) // 2
        journal.write(block[:half])
        time.sleep(pause_s / 2)
        journal.write(block[half:])
        time.sleep(pause_s / 2)
run_facts.end(str(folder), facts, exit_code=0, signal=None)
