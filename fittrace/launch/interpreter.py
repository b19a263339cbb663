"""The Python that runs the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..schema.errors import FittraceError

_PACKAGES = ("keras", "tf_keras", "tensorflow")


def resolve(python: str | None) -> str:
    """The interpreter at `python`: a file, a name on the path, or the folder of a virtual environment.

    None is the Python that runs now. Raises `FittraceError` where there is none, or it is no Python 3.7 or later.
    """
    if python is None:
        return sys.executable
    path = Path(python)
    candidates = [path / "bin" / "python", path / "Scripts" / "python.exe"] if path.is_dir() else [path]
    found = next((str(one.absolute()) for one in candidates if one.is_file()), None) or shutil.which(python)
    if found is None:
        raise FittraceError(f"--python {python}: no interpreter there; give a python or the folder of its environment")
    asked = _ask(found, "import sys; print(*sys.version_info[:2])")
    version = asked.split()
    if len(version) != 2 or not all(part.isdigit() for part in version):
        raise FittraceError(f"--python {python}: does not answer like a Python interpreter; give the path of one")
    if tuple(map(int, version)) < (3, 7):
        raise FittraceError(f"--python {python}: Python {'.'.join(version)}; fittrace traces Python 3.7 and later")
    return found


def has_keras(python: str, script: str | None) -> bool:
    """Whether `python` finds a Keras, also beside `script`."""
    beside = [os.path.dirname(os.path.abspath(script))] if script is not None else [os.getcwd()]
    code = f"import sys, importlib.util as u; sys.path[:0] = {beside!r}\n"
    code += f"print(any(u.find_spec(name) for name in {_PACKAGES!r}))"
    return _ask(python, code).strip() == "True"


def _ask(python: str, code: str) -> str:
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""
