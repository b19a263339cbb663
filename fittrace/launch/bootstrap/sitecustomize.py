"""Starts capture in the interpreter that `fittrace run` starts, and in its child interpreters.

The launcher puts the folder of this file first on `PYTHONPATH`. Python imports `sitecustomize` before it runs the
program. This module then removes the folder from `sys.path`, and imports the `sitecustomize` that it hid. The
environment variables stay, so that child processes are traced too.

Most child interpreters never import an engine. So this module imports capture only when the program imports one.
"""

import atexit
import os
import sys

AWAITED = frozenset(["fittrace.launch", "fittrace.otel", "keras", "tensorflow", "tf_keras"])
"""The packages whose import starts capture: those of the engines, and those of fittrace that use the session."""


class EngineFinder:
    """A finder on `sys.meta_path` that starts capture at the first import of a package in `AWAITED`.

    It finds no module itself, except fittrace, which need not be installed in this interpreter.

    - `directory`: the folder of the run.
    - `package`: the folder of the package fittrace.
    """

    def __init__(self, directory: str, package: str) -> None:
        self.directory = directory
        self.package = package
        self.process = os.getpid()
        self.is_over = False
        # Exit handlers run in reverse order. Registered first, this one runs after those of the program.
        atexit.register(self.close)
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """The spec of fittrace if that is `name`, else None. Only this package is found, not its whole folder."""
        if name == "fittrace":
            import importlib.util

            path_of_package = os.path.join(self.package, "__init__.py")
            return importlib.util.spec_from_file_location(
                name, path_of_package, submodule_search_locations=[self.package]
            )
        if name in AWAITED and not self.is_over:
            self.start()
        return None

    def start(self) -> None:
        """Start the session of this process, and stop waiting for an engine."""
        self.is_over = True
        try:
            self.begin()
        except BaseException as error:
            if _is_from_program(error):
                # A signal handler of the program raised it. The next import of an engine tries again.
                self.close()
                self.is_over = False
                raise
            _report(error)
        sys.meta_path.remove(self)  # type: ignore[arg-type]

    def begin(self) -> None:
        """Begin a session, unless this process has one."""
        from fittrace.capture import Session
        from fittrace.schema import run_facts

        if Session.active is None:
            session = Session(self.directory, run_facts.settings(self.directory))
            session.is_forked = os.getpid() != self.process
            session.start()
            atexit.unregister(session.close)
            if "FITTRACE_OTLP" in os.environ:
                self.send(session)

    @staticmethod
    def send(session: object) -> None:
        """Send spans to OpenTelemetry too. If it is not installed in this interpreter, a note in the trace says so."""
        try:
            from fittrace.otel.sending import pipelines
        except ImportError as error:
            reason = "no spans are sent: %s, in %s; install fittrace[otel] there" % (error, sys.executable)
            session.note("otlp", reason)  # type: ignore[attr-defined]
            return
        pipelines.begin(session)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the session at exit, if there is one."""
        if self.is_over:
            from fittrace.capture import Session

            if Session.active is not None:
                Session.active.close()


def _start() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    directory = os.environ.get("FITTRACE_RUN")
    if not directory or sys.version_info < (3, 7):
        return
    finder = EngineFinder(directory, os.path.dirname(os.path.dirname(here)))
    if not AWAITED.isdisjoint(sys.modules):
        finder.start()


def _is_from_program(error: BaseException) -> bool:
    """Whether the program raised an exception, for instance in a signal handler, and not fittrace."""
    try:
        from fittrace.capture.isolation.interruptions import is_programs
    except Exception:
        return not isinstance(error, Exception)
    return is_programs(error)


def _report(error: BaseException) -> None:
    sys.stderr.write("fittrace: could not start, the program runs untraced: %r\n" % (error,))


def _import_hidden_sitecustomize() -> None:
    """Import the `sitecustomize` that this module hid, if there is one."""
    mine = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", None) != "sitecustomize":
            raise
    finally:
        # Python is still importing this file and expects a module of this name afterwards.
        sys.modules.setdefault("sitecustomize", mine)


try:
    _start()
except Exception as error:
    _report(error)
_import_hidden_sitecustomize()
