"""Starts capture in a Python that `fittrace run` began, and in the Pythons that it begins.

The launcher puts this file's folder first on `PYTHONPATH`, and Python imports `sitecustomize` by itself before it runs
the program. This takes the folder off `sys.path` again and then lets the `sitecustomize` that it hid have its turn.
The variables stay in the environment, so that child processes are traced too.

Most Pythons that a program begins never see an engine. So here one is only waited for; all else that capture needs is
imported when an engine's package is.
"""

import atexit
import os
import sys

AWAITED = frozenset(["fittrace.launch", "fittrace.otel", "keras", "tensorflow", "tf_keras"])
"""The packages with the engines' modules, and what records in this very process, which looks for the run's session."""


class Waiting:
    """A finder that finds nothing but fittrace, and starts capture as soon as something `AWAITED` is looked for."""

    def __init__(self, directory: str, package: str) -> None:
        self.directory = directory
        self.package = package
        self.process = os.getpid()
        self.is_over = False
        # Now, so that it is the last to be called at exit, whatever the program registers.
        atexit.register(self.close)
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """The spec of fittrace, by its place: it need not be installed here, and nothing beside it is found."""
        if name == "fittrace":
            import importlib.util

            place = os.path.join(self.package, "__init__.py")
            return importlib.util.spec_from_file_location(name, place, submodule_search_locations=[self.package])
        if name in AWAITED and not self.is_over:
            self.start()
        return None

    def start(self) -> None:
        """Start the session of this process."""
        self.is_over = True
        try:
            self.begin()
        except BaseException as error:
            if _is_programs(error):
                # A signal handler has raised. The next engine that is looked for is another try.
                self.close()
                self.is_over = False
                raise
            _complain(error)
        sys.meta_path.remove(self)  # type: ignore[arg-type]

    def begin(self) -> None:
        """Begin a session, unless there is one."""
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
        """Send spans through OpenTelemetry too, which must be installed here; the trace says where it is not."""
        try:
            from fittrace.otel.sending import pipelines
        except ImportError as error:
            reason = "no spans are sent: %s, in %s; install fittrace[otel] there" % (error, sys.executable)
            session.note("otlp", reason)  # type: ignore[attr-defined]
            return
        pipelines.begin(session)  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the session at exit, if there is one by then."""
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
    waiting = Waiting(directory, os.path.dirname(os.path.dirname(here)))
    if not AWAITED.isdisjoint(sys.modules):
        waiting.start()


def _is_programs(error: BaseException) -> bool:
    try:
        from fittrace.capture.isolation.interruptions import is_programs
    except Exception:
        return not isinstance(error, Exception)
    return is_programs(error)


def _complain(error: BaseException) -> None:
    sys.stderr.write("fittrace: could not start, the program runs untraced: %r\n" % (error,))


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
    _complain(error)
_hand_on()
