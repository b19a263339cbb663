"""Finds the Python interpreter that runs the program, and asks it about itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..schema.errors import FittraceError

_PACKAGES = ("keras", "tf_keras", "tensorflow")


def resolve(python: str | None) -> str:
    """The path of the interpreter that `python` names.

    `python` is a file, a command on PATH, or the folder of a virtual environment. None is this interpreter.

    Raises `FittraceError` if there is no interpreter, or if it is older than Python 3.7.
    """
    if python is None:
        return sys.executable
    path = Path(python)
    candidates = [path / "bin" / "python", path / "Scripts" / "python.exe"] if path.is_dir() else [path]
    found = next((str(path.absolute()) for path in candidates if path.is_file()), None) or shutil.which(python)
    if found is None:
        raise FittraceError(f"--python {python}: no interpreter there; give a python or the folder of its environment")
    version = _output(found, "import sys; print(*sys.version_info[:2])").split()
    if len(version) != 2 or not all(part.isdigit() for part in version):
        raise FittraceError(f"--python {python}: does not answer like a Python interpreter; give the path of one")
    if tuple(map(int, version)) < (3, 7):
        raise FittraceError(f"--python {python}: Python {'.'.join(version)}; fittrace traces Python 3.7 and later")
    return found


def has_keras(python: str, script: str | None) -> bool:
    """Whether `python` can import a Keras, from its own packages or from the folder of `script`."""
    folder = [os.path.dirname(os.path.abspath(script))] if script is not None else [os.getcwd()]
    code = f"import sys, importlib.util as u; sys.path[:0] = {folder!r}\n"
    code += f"print(any(u.find_spec(name) for name in {_PACKAGES!r}))"
    return _output(python, code).strip() == "True"


def _output(python: str, code: str) -> str:
    """What `code` prints when `python` runs it; empty if it fails."""
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
