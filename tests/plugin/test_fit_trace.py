"""The fixture `fit_trace`, used as an author of callbacks would."""

from __future__ import annotations

from pathlib import Path

import pytest

import fittrace

from .conftest import Pytest


def test_tables_and_assertions(run_tests: Pytest) -> None:
    code = '''
    def test_tables(fit_trace, model):
        fit(model)
        assert fit_trace.fits().epochs.tolist() == [2]
        assert len(fit_trace.batches()) == 6 and len(fit_trace.hooks()) > 6
        for table in ("spans", "logs", "values", "sites", "processes"):
            assert len(getattr(fit_trace, table)()) > 0
        assert fit_trace.stops().empty and fit_trace.samples().empty
        assert fit_trace.notes().empty
        assert fit_trace.sql("SELECT count(*) AS n FROM batches").n[0] == 6

    def test_only_its_own_fits(fit_trace, model):
        assert fit_trace.fits().empty
        fit(model, epochs=1)
        assert len(fit_trace.batches()) == 3
        fit(model, epochs=3)  # what was read before is read anew
        assert fit_trace.fits().epochs.tolist() == [1, 3]

    def records():
        import inspect
        from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
        constants = inspect.unwrap(TensorFlowTrainer.fit).__code__.co_consts
        return "fittrace" in "".join(type(constant).__module__ for constant in constants)

    def test_recording(fit_trace):
        assert records()

    def test_between(model):
        assert not records()
        fit(model)

    def test_order(fit_trace, model):
        fit(model, validation_data=(X, Y), callbacks=[Mine()])
        fit_trace.assert_hook_order("""
            on_train_begin
            each epoch (
                on_epoch_begin
                batches{3}  # six samples, two at a time
                validation
                Mine.on_epoch_end on_epoch_end
            ){2}
            on_train_end
        """)
        of_mine = "on_train_begin each epoch (Mine.on_epoch_begin ... Mine.on_epoch_end) on_train_end"
        fit_trace.assert_hook_order(of_mine, callbacks="Mine")
        with pytest.raises(AssertionError):
            fit_trace.assert_hook_order(of_mine.replace("Mine.on_epoch_end", "History.on_epoch_end"))

    def test_described(fit_trace, model):
        fit(model, validation_data=(X, Y), batch_size=4)
        fit_trace.assert_hook_order(fit_trace.hook_order())
        assert "each batch (on_train_batch_begin on_train_batch_end) {2}" in fit_trace.hook_order()
        assert fit_trace == str(fit_trace) and fit_trace != fit_trace.hook_order() + " stop"

    def test_log_keys(fit_trace, model):
        fit(model, callbacks=[Mine()])
        keys = fit_trace.log_keys()
        assert keys["on_epoch_end"] == ["loss", "mine"] and keys["on_train_batch_end"] == ["loss"]
    '''
    run_tests(code).assert_outcomes(passed=7)


def test_what_is_held_in_memory_is_what_the_files_would_have(run_tests: Pytest) -> None:
    code = """
    import fittrace
    import pandas as pd
    from fittrace.tables import TraceTables

    TABLES = ("fits", "spans", "batches", "hooks", "logs", "samples", "stops", "processes", "sites", "notes", "values")

    def test_tables(fit_trace, model):
        assert fit_trace.hooks().empty and fit_trace.logs().empty
        fit(model, validation_data=(X, Y), callbacks=[Mine()])
        fit(model, epochs=1)
        model.evaluate(X, Y, verbose=0)
        held, read = fit_trace.trace, TraceTables.open(fit_trace.trace.path)
        for table in TABLES:
            pd.testing.assert_frame_equal(getattr(held, table)(), getattr(read, table)())
        pd.testing.assert_frame_equal(fit_trace.fits(), fittrace.open(held.path).fits())
        query = "SELECT hook, callback, logs_before, logs_after, changed FROM hooks ORDER BY fit, seq"
        pd.testing.assert_frame_equal(held.sql(query), read.sql(query))
        assert held.functions().empty  # the engine's source is not kept for a test
        assert held.runs[0].running and not held.is_folder and "3 fits" in repr(held)
    """
    run_tests(code).assert_outcomes(passed=1)


def test_a_failure_shows_where_and_the_engine_s_line(run_tests: Pytest) -> None:
    code = """
    def test_order(fit_trace, model):
        fit(model, epochs=1)
        fit_trace.assert_hook_order("on_train_begin each epoch (on_epoch_begin batches validation on_epoch_end) ...")
    """
    result = run_tests(code)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *AssertionError: fit 0 leaves the expected hook order at call *, History.on_epoch_end (epoch 0)",
            "E *expected * called",
            "E *(3 before)",
            "E *on_train_batch_end * History.on_train_batch_end (epoch 0, batch 2)",
            "E *> * on_test_begin * History.on_epoch_end (epoch 0)",
            "E * History.on_train_end",
            "E *trainer.py:* in TensorFlowTrainer.fit: callbacks.on_epoch_end(epoch, epoch_logs)",
        ]
    )


def test_mistakes_are_told(run_tests: Pytest) -> None:
    code = '''
    def test_typo(fit_trace, model):
        fit(model)
        fit_trace.assert_hook_order("""
            on_train_begin
            on_epok_begin
        """)

    def test_nothing_fitted(fit_trace):
        fit_trace.hook_order()

    def test_which(fit_trace, model):
        fit(model)
        fit(model)
        fit_trace.hook_order()

    def test_no_such_callback(fit_trace, model):
        fit(model)
        fit_trace.hook_order(callbacks="Nobody")
    '''
    result = run_tests(code)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "E *on_epok_begin",
            "E *^",
            "E *PatternError: 'on_epok_begin' is no hook; did you mean on_epoch_begin?",
            "E *FittraceError: fit_trace: nothing was fitted yet; *",
            "E *FittraceError: fit_trace: which fit is meant is not clear; the test made 0 fit, 1 fit: *",
            "E *FittraceError: fit_trace: no hook of a callback 'Nobody' was called; those called: History",
        ]
    )


CONTRACT = """
    def test_contract(fit_trace, model, snapshot):
        fit(model, validation_data=(X, Y), callbacks=[Mine()])
        assert fit_trace == snapshot
"""


def test_syrupy(run_tests: Pytest) -> None:
    written = run_tests(CONTRACT, "--snapshot-update")
    written.stdout.fnmatch_lines(["*1 snapshot generated*"])
    run_tests(CONTRACT).assert_outcomes(passed=1)
    changed = run_tests(CONTRACT.replace("callbacks=[Mine()]", "callbacks=[]"))
    changed.assert_outcomes(failed=1)
    changed.stdout.fnmatch_lines(["*- *Mine*"])


INLINE = """
    from inline_snapshot import snapshot

    def test_contract(fit_trace, model):
        fit(model, validation_data=(X, Y))
        assert str(fit_trace) == snapshot()
"""


def test_inline_snapshot(run_tests: Pytest, pytester: pytest.Pytester) -> None:
    run_tests(INLINE, "--inline-snapshot=create")
    written = pytester.path.joinpath("test_it.py").read_text()
    assert "each batch (on_train_batch_begin on_train_batch_end) {3}" in written
    # The mode that inline-snapshot takes by itself depends on whether it finds a CI system.
    options = ("-p", "no:cacheprovider", "--inline-snapshot=disable")
    pytester.runpytest_inprocess(*options).assert_outcomes(passed=1)
    pytester.makepyfile(test_it=written.replace("validation_data=(X, Y)", "validation_data=None"))
    pytester.runpytest_inprocess(*options).assert_outcomes(failed=1)


def test_the_store_of_a_suite(run_tests: Pytest, pytester: pytest.Pytester) -> None:
    code = """
    @pytest.fixture
    def trained(model):
        fit(model, epochs=1)

    def test_plain(trained, model):
        fit(model, epochs=2)

    def test_without(): pass

    @pytest.mark.parametrize("epochs", [3])
    def test_its_own(trained, fit_trace, model, epochs):
        fit(model, epochs=epochs)
        assert fit_trace.fits().epochs.tolist() == [epochs]  # not what the fixture before it did

    def test_failing(model):
        model.fit(X, Y[:2])
    """
    result = run_tests(code, "--fittrace")
    result.assert_outcomes(passed=3, failed=1)
    (folder,) = pytester.path.glob("traces/*-pytest")
    result.stdout.fnmatch_lines([f"4 runs, one for each test that fitted, are in traces/{folder.name}; *"])
    fits = fittrace.open(folder).fits()
    assert fits.groupby("run", observed=True).epochs.agg(list).to_dict() == {
        "test_it-test_plain": [1, 2],
        "test_it-test_its_own-3": [1],
        "test_it-test_its_own-3-2": [3],
        "test_it-test_failing": [0],
    }
    assert not list(folder.glob("*/journal"))
    visits = fittrace.open(folder / "test_it-test_its_own-3").lines().set_index("source").visits
    assert visits["                    logs = self.train_function(iterator)"] == 3  # what is kept can be replayed


def test_without_the_option_nothing_is_kept(run_tests: Pytest, pytester: pytest.Pytester) -> None:
    run_tests("def test_plain(model): fit(model)").assert_outcomes(passed=1)
    assert not pytester.path.joinpath("traces").exists()


def test_inside_fittrace_run_a_trace_of_its_own_is_refused(run_tests: Pytest, tmp_path: Path) -> None:
    with fittrace.trace(out=tmp_path):
        result = run_tests("def test_it(fit_trace): pass")
        suite = run_tests("def test_it(): pass", "--fittrace")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *this process is recorded there already*"])
    assert suite.ret == pytest.ExitCode.USAGE_ERROR
    suite.stderr.fnmatch_lines(["ERROR: *this process is recorded there already*"])


WITH_A_STAND_IN = """
import pytest
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

@pytest.mark.parametrize("steps", [2, 3, 4])
def test_fitting(fit_trace, steps):
    TensorFlowTrainer().fit(steps=steps)
    assert len(fit_trace.batches()) == steps
"""


def test_the_workers_of_xdist_share_the_folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "crash" / "engine"))
    pytester.makepyfile(test_it=WITH_A_STAND_IN)
    result = pytester.runpytest_subprocess("--fittrace", "-n", "2", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)
    (folder,) = pytester.path.glob("traces/*-pytest")
    assert sorted(run.name for run in folder.iterdir()) == [f"test_it-test_fitting-{steps}" for steps in (2, 3, 4)]
