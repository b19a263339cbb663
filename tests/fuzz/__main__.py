"""Makes hostile runs, tries commands on each in the sandbox, and prints how many there were and what was wrong."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from . import mutations, seeds
from .sandbox import Job, Outcome, carry_out
from .worker import commands

AT_ONCE = 125
"""How many runs one worker reads. It takes seconds to start, as long as some ten runs."""
DRAWN = 3
"""Commands that are drawn for a run, beside `ls`: all of them take some three seconds."""
FIXED = 512 << 20
TIMES = 64
"""Reading a run may take `FIXED` bytes and `TIMES` what the run itself takes."""


def fuzz(count: int, area: Path, first: int = 0, every: bool = False, workers: int | None = None) -> Outcome:
    """Try hostile runs, and return what came of it.

    `count`: how many.
    `area`: the folder to work in.
    `first`: the number of the first.
    `every`: try every command on each, not some that are drawn.
    `workers`: how many processes read runs at once; None for one on each core.
    """
    healthy = seeds.make(area / "healthy")
    outside = area / "outside"
    shutil.copytree(healthy[0], outside / "neighbour")
    (outside / "secret.txt").write_text("secret\n")
    whole = Outcome()
    before = _state(outside)
    batches = [range(at, min(at + AT_ONCE, first + count)) for at in range(first, first + count, AT_ONCE)]
    with ThreadPoolExecutor(workers or os.cpu_count()) as threads:
        for part in threads.map(lambda numbers: _batch(numbers, healthy, outside, area, every), batches):
            whole.faults += part.faults
            whole.runs += part.runs
            whole.commands += part.commands
            if sys.stderr.isatty():
                print(f"\r{whole.runs} of {count} runs, {len(whole.faults)} faults", end="", file=sys.stderr)
    if _state(outside) != before:
        whole.faults.append((-1, "all", "what lies outside of the runs has changed"))
    return whole


def make_hostile(number: int, healthy: list[Path], outside: Path, folder: Path) -> list[str]:
    """Make the hostile run of that number in `folder`; in which ways it is."""
    random = Random(number)
    seed = random.choice(healthy)
    shutil.copytree(seed, folder / seed.name)
    return [seed.name, *mutations.mutate(random, folder / seed.name, outside)]


def drawn(number: int, every: bool) -> list[str]:
    """The commands that are tried on the run of that number, in their order."""
    names = list(commands(Path("run"), Path("out")))
    chosen = {"ls", *Random(number).sample(names, DRAWN)}
    return names if every else [name for name in names if name in chosen]


def _batch(numbers: range, healthy: list[Path], outside: Path, area: Path, every: bool) -> Outcome:
    """Make some hostile runs and let a worker read them."""
    jobs, ways = [], {}
    for number in numbers:
        folder, out = area / "runs" / str(number), area / "out" / str(number)
        folder.mkdir(parents=True)
        out.mkdir(parents=True)
        ways[number] = make_hostile(number, healthy, outside, folder)
        (run,) = folder.iterdir()
        size = sum(one.lstat().st_size for one in run.rglob("*"))
        jobs.append(Job(number, run, out, drawn(number, every), size))
    outcome = carry_out(jobs, area, f"worker-{numbers.start}")
    sizes = {job.number: job.size for job in jobs}
    for (number, command), memory in outcome.memory.items():
        if memory > FIXED + TIMES * sizes[number]:
            outcome.faults.append((number, command, f"{memory >> 20} MiB for a run of {sizes[number]} bytes"))
    outcome.faults = [(number, command, f"({', '.join(ways.get(number, ()))}) {what}")
                      for number, command, what in outcome.faults]  # fmt: skip
    failed = {number for number, _, _ in outcome.faults}
    for job in jobs:
        if job.number not in failed:
            shutil.rmtree(job.run.parent)
        shutil.rmtree(job.out, ignore_errors=True)
    return outcome


def _state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below `folder`: when it was changed, and what is in it."""
    files = [one for one in folder.rglob("*") if one.is_file()]
    return {str(one): (one.stat().st_mtime_ns, one.read_bytes()) for one in files}


def main() -> int:
    """Fuzz, and say what came of it; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, metavar="N", help="how many (default: 2000)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first (default: 0)")
    parser.add_argument("--every", action="store_true", help="every command on each, not some that are drawn")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and leave the runs that show faults")
    given = parser.parse_args()
    area = given.keep or Path(tempfile.mkdtemp(prefix="fuzz-"))
    area.mkdir(exist_ok=True)
    try:
        outcome = fuzz(given.runs, area.resolve(), given.first, given.every)
    finally:
        if given.keep is None:
            shutil.rmtree(area, ignore_errors=True)
    for number, command, what in outcome.faults:
        print(f"run {number}, {command}: {what}")
    print(f"{outcome.runs} hostile runs, {outcome.commands} commands on them: {len(outcome.faults)} faults")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
