"""A program under fittrace starts, ends, and deals with its children and signals as it does without it.

The Keras here is the one in miniature of the crash tests: next to none of this depends on the engine.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import fittrace

from .processes import HERE, Pair, Run, environ, finish, run_both, start, traced_command

ENGINE = HERE.parent / "crash" / "engine"
FIT = "import atexit, os, signal, sys, threading, warnings\nimport keras\nkeras.Model().fit(3)\n"


def script(folder: Path, source: str, fits: bool = True) -> str:
    """A script with `source`, after a fit."""
    path = folder / "script.py"
    path.write_text((FIT if fits else "") + dedent(source))
    return str(path)


def both(folder: Path, source: str, *arguments: str, stdin: str = "", **variables: str) -> Pair:
    """That script without and with fittrace."""
    return run_both(folder, [script(folder, source), *arguments], ENGINE, stdin, **variables)


def check_same(pair: Pair) -> Run:
    assert pair.traced == pair.plain
    return pair.traced


ENDINGS = {
    "pass": 0,
    "sys.exit(3)": 3,
    "sys.exit()": 0,
    "sys.exit('what the user is told')": 1,
    "raise SystemExit(300)": 300 % 256,
    "raise ValueError('what went wrong')": 1,
    "def f(): raise KeyError('deep')\ntry:\n    f()\nexcept KeyError:\n    1 / 0": 1,
    "keras.Model().fit('no number')": 1,
    "os._exit(7)": 7,
    "threading.Thread(target=lambda: 1 / 0).start()": 0,
    "warnings.warn('mind this')": 0,
    "raise KeyboardInterrupt": -signal.SIGINT,
    "os.kill(os.getpid(), signal.SIGKILL)": -signal.SIGKILL,
    "os.kill(os.getpid(), signal.SIGTERM)": -signal.SIGTERM,
    "os.kill(os.getpid(), signal.SIGSEGV)": -signal.SIGSEGV,
    "os.abort()": -signal.SIGABRT,
    "sys.stdout.write('no newline at the end')": 0,
    "threading.Thread(target=lambda: keras.Model(9).fit(9, 9), daemon=True).start()": 0,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_ends_the_same_way(tmp_path: Path, ending: str) -> None:
    run = check_same(both(tmp_path, ending))
    assert run.returncode == ENDINGS[ending]


def test_a_script_with_a_syntax_error_fails_as_ever(tmp_path: Path) -> None:
    run = check_same(run_both(tmp_path, [script(tmp_path, "def f(:", fits=False)], ENGINE))
    assert run.returncode == 1 and "SyntaxError" in run.stderr


def test_handlers_at_exit_run_in_order_and_may_train(tmp_path: Path) -> None:
    pair = both(
        tmp_path,
        """
        atexit.register(lambda: print("first registered"))
        atexit.register(lambda: keras.Model().fit(2))
        atexit.register(lambda: print("last registered"))
        """,
    )
    assert check_same(pair).stdout == "last registered\nfirst registered\n"
    assert list(pair.trace.fits().batches) == [3, 2]


def test_standard_input_passes_through(tmp_path: Path) -> None:
    run = check_same(both(tmp_path, "print(sys.stdin.read().upper())", stdin="from the user"))
    assert run.stdout == "FROM THE USER\n"


def test_arguments_pass_through(tmp_path: Path) -> None:
    run = check_same(both(tmp_path, "print(sys.argv)", "--out", "-m", "--", "a b"))
    assert run.stdout == f"{[str(tmp_path / 'script.py'), '--out', '-m', '--', 'a b']}\n"


def test_a_module_runs_as_with_minus_m(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "training.py").write_text(
        FIT + "print(__name__, __spec__.name, __package__, __file__, sys.argv, sys.path, sorted(globals()))\n"
    )
    pair = run_both(tmp_path, ["-m", "package.training", "-m", "x"], ENGINE)
    assert check_same(pair).stdout.startswith("__main__ package.training package ")
    assert len(pair.trace.fits()) == 1


def test_main_is_the_script(tmp_path: Path) -> None:
    source = """
        main = sys.modules["__main__"]
        print(main.__name__, main.__file__, main.__spec__, main.__package__, sorted(vars(main)))
        print(sys.path, sys.flags, sys.warnoptions, sys._xoptions, sys.orig_argv[1:])
        print([thread.name for thread in threading.enumerate()], threading.active_count())
        print(sys.getprofile(), sys.gettrace(), sys.getswitchinterval(), sys.getrecursionlimit())
    """
    assert check_same(both(tmp_path, source)).stdout.startswith("__main__ ")


def test_two_variables_are_all_that_is_added_to_the_environment(tmp_path: Path) -> None:
    pair = both(tmp_path, "print('\\n'.join(sorted(os.environ)))")
    ours = {"SEEN", "ORACLE"}
    plain, traced = (set(run.stdout.split()) - ours for run in (pair.plain, pair.traced))
    assert traced - plain == {"FITTRACE_RUN"}
    assert plain - traced == set()  # and PYTHONPATH, which is there in both, begins with fittrace's folder


def test_the_users_own_sitecustomize_runs_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.customized = __file__\n")
    command = [script(tmp_path, "print(sys.customized, sys.modules['sitecustomize'].__file__)")]
    run = check_same(run_both(tmp_path, command, f"{ENGINE}{os.pathsep}{tmp_path}"))
    assert run.stdout.split() == [str(tmp_path / "sitecustomize.py")] * 2


HANDLING = """
    def handle(number, frame):
        os.write(1, b"handled %d\\n" % number)
        sys.exit(5)

    class Ready(keras.Callback):
        def on_train_batch_begin(self, batch, logs):
            if batch == 0:
                os.write(1, b"ready\\n")

    if sys.argv[1] != "default":
        signal.signal(getattr(signal, sys.argv[1]), handle)
    keras.Model(0.01).fit(3000, callbacks=[Ready()])
"""


def signalled(folder: Path, command: list[str], number: int) -> Run:
    process = start(command, environ(ENGINE), folder)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    return finish(process)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
@pytest.mark.parametrize("handled", [True, False])
def test_a_signal_to_the_launcher_reaches_the_program(tmp_path: Path, name: str, handled: bool) -> None:
    command = [script(tmp_path, HANDLING), name if handled else "default"]
    number = getattr(signal, name)
    plain = signalled(tmp_path, [sys.executable, *command], number)
    traced = signalled(tmp_path, traced_command(tmp_path, command), number)
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)
    assert plain.returncode == (5 if handled else -number)
    if handled or name == "SIGINT":
        fit = fittrace.open(tmp_path / "traces" / "run").fits().iloc[-1]
        assert (fit.status, fit.error) == ("error", "SystemExit: 5" if handled else "KeyboardInterrupt")


CHILDREN = {
    "os.fork": """
        child = os.fork()
        keras.Model().fit(4 if child else 5)
        if child:
            os.waitpid(child, 0)
        """,
    "os.fork and os._exit": """
        if os.fork() == 0:
            keras.Model().fit(5)
            time.sleep(1)
            os._exit(0)
        keras.Model().fit(4)
        os.wait()
        """,
    "fork": "train('fork')",
    "spawn": "train('spawn')",
    "forkserver": "train('forkserver')",
    "pool": """
        from concurrent.futures import ProcessPoolExecutor

        if __name__ == "__main__":
            keras.Model().fit(4)
            with ProcessPoolExecutor(1) as pool:
                pool.submit(fit, 5).result()
        """,
    "subprocess": """
        import subprocess

        keras.Model().fit(4)
        subprocess.run([sys.executable, "-c", "import keras; keras.Model().fit(5)"], check=True)
        """,
    "exec": """
        keras.Model().fit(4)
        time.sleep(1)  # what is replaced at once has lost what was recorded last
        os.execv(sys.executable, [sys.executable, "-c", "import keras; keras.Model().fit(5)"])
        """,
    "in a hook": """
        class Forking(keras.Callback):
            def on_epoch_end(self, epoch, logs):
                if os.fork() == 0:
                    keras.Model().fit(5)
                    sys.exit()
                os.wait()

        keras.Model().fit(4, callbacks=[Forking()])
        """,
    "on a thread": """
        def work():
            keras.Model().fit(1)
            if os.fork() == 0:
                threads = [threading.Thread(target=fit, args=(n,)) for n in (5, 6, 7)]
                for thread in threads:
                    thread.start()
                    thread.join()
                time.sleep(1)
                os._exit(0)
            os.wait()

        fit(1)
        first = threading.Thread(target=fit, args=(1,))
        first.start()
        first.join()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        keras.Model().fit(4)
        """,
}
PARENTS = """
import multiprocessing, os, sys, threading, time, warnings
import keras

# Python 3.12 warns of a fork where there are threads. fittrace's own count; those of a real engine were there before.
warnings.simplefilter("ignore", DeprecationWarning)

def fit(steps):
    keras.Model().fit(steps)

def train(method):
    if __name__ == "__main__":
        fit(4)
        process = multiprocessing.get_context(method).Process(target=fit, args=(5,))
        process.start()
        process.join()
        sys.exit(process.exitcode)
"""


@pytest.mark.parametrize("how", [how for how in CHILDREN if how != "on a thread"])
def test_children_that_fit_are_processes_of_the_run(tmp_path: Path, how: str) -> None:
    path = script(tmp_path, PARENTS + dedent(CHILDREN[how]), fits=False)
    pair = run_both(tmp_path, [path], ENGINE)
    check_same(pair)
    assert pair.traced.returncode == 0
    fits = pair.trace.fits()
    assert sorted(fits.groupby("process").batches.max()) == [4, 5]
    processes = pair.trace.processes()
    assert len(processes) == 2
    assert (processes.pid.nunique() == 1) == (how == "exec")
    assert set(fits.status) == {"ok"}


def test_a_child_forked_on_a_thread_numbers_its_own_threads(tmp_path: Path) -> None:
    source = PARENTS + dedent(CHILDREN["on a thread"])
    pair = run_both(tmp_path, [script(tmp_path, source, fits=False)], ENGINE)
    check_same(pair)
    fits = pair.trace.fits()
    own = [sorted(mine.batches) for _, mine in fits.groupby("process")]
    assert sorted(own) == [[1, 1, 1, 4], [5, 6, 7]]
    assert pair.trace.notes().empty


def test_a_child_that_was_told_nothing_is_not_traced(tmp_path: Path) -> None:
    source = """
        import subprocess

        child = subprocess.run([sys.executable, "-I", "-c", "import sys; print('fittrace' in sys.modules)"],
                               stdout=subprocess.PIPE, text=True, check=True)
        print(child.stdout)
    """
    pair = both(tmp_path, source)
    assert check_same(pair).stdout == "False\n\n"
    assert len(pair.trace.processes()) == 1
