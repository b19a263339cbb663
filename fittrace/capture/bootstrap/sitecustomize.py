"""Starts capture in a Python that `fittrace run` began, and in the Pythons that it begins.

The launcher puts this file's folder first on `PYTHONPATH`, and Python imports `sitecustomize` by itself before it runs
the program. This takes the folder off `sys.path` again and then lets the `sitecustomize` that it hid have its turn.
The variables stay in the environment, so that child processes are traced too.
"""

import os
import sys


def _start() -> None:
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    directory = os.environ.get("FITTRACE_RUN")
    if not directory or sys.version_info < (3, 7):
        return
    if "fittrace" not in sys.modules:
        # By its place, since in this Python fittrace need not be installed, and nothing beside it must be found.
        package = os.path.dirname(os.path.dirname(here))
        spec = importlib.util.spec_from_file_location(
            "fittrace", os.path.join(package, "__init__.py"), submodule_search_locations=[package]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["fittrace"] = module
        spec.loader.exec_module(module)
    from fittrace.capture import Session
    from fittrace.schema import run

    if Session.active is None:
        Session(directory, run.read(directory)["run_metadata"]).start()


def _hand_on() -> None:
    mine = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", None) != "sitecustomize":
            raise
    finally:
        # The import that runs this file expects to find a module of its name.
        sys.modules.setdefault("sitecustomize", mine)


try:
    _start()
except Exception as error:
    sys.stderr.write("fittrace: could not start, the program runs untraced: %r\n" % (error,))
_hand_on()
