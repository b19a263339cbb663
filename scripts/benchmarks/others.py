"""The same script under other tools, in processes that take turns.

The script times its own second fit, so that start-up and the writing of files afterwards do not count; what a tool
writes during the fit does.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

from . import processes
from .table import Row, ratios


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    rounds, batches = (1, 500) if quick else (3, 1000)
    fits: dict[str, list[float]] = {}
    sizes: dict[str, float] = {}
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            subjects = _subjects(Path(place), batches)
            for name in list(subjects)[:: 1 if number % 2 else -1]:
                folder = Path(place, "out")
                folder.mkdir()
                report = Path(place, "seconds")
                processes.run([*subjects[name], "--report", str(report)])
                fits.setdefault(name, []).append(float(report.read_text()))
                sizes[name] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
                shutil.rmtree(folder)
    plain = fits.pop("python")
    rows = []
    for name, taken in sorted(fits.items(), key=lambda item: list(_subjects(Path("."), 0)).index(item[0])):
        rows.append(Row(f"fit under {name} over `python`", ratios(taken, plain), "×", digits=3))
        if sizes[name]:
            rows.append(Row(f"what {name} leaves on disk, {batches} batches", [sizes[name] / 1e6], "MB"))
    return rows


def _subjects(place: Path, batches: int) -> dict[str, list[str]]:
    """The arguments for Python to run the script under each tool; what they write goes into a folder `out`."""
    found = importlib.util.find_spec("keras")
    assert found is not None and found.origin is not None
    keras = str(Path(found.origin).parent)
    out = place / "out"
    script = [str(processes.WORKLOAD), "--batches", str(batches)]
    viztracer = ["-m", "viztracer", "--quiet", "-o", str(out / "trace.json")]
    return {
        "python": script,
        "fittrace": ["-m", "fittrace", "run", "--quiet", "--out", str(out), *script],
        "spans in a callback": [*script, "--with", "spans"],
        "cProfile": ["-m", "cProfile", "-o", str(out / "profile"), *script],
        # The script is named too: what a function calls is left out with it.
        "VizTracer on Keras' files": [*viztracer, "--include_files", keras, script[0], "--", *script],
        "VizTracer": [*viztracer, "--", *script],
        "TensorBoard's profile": [*script, "--with", "tensorboard", "--folder", str(out)],
    }
