"""A Keras that fittrace does not know: what still matches is traced, and the trace says what does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from engine_matrix import KERAS

from .conftest import NEWEST
from .processes import HERE, PROGRAMS, Pair, run_both

ENGINE = HERE.parent / "crash" / "engine"
TRAINER = "backend/tensorflow/trainer.py"


def altered(keras: Path, folder: Path, changes: dict[str, list[tuple[str, str]]]) -> Path:
    """A copy of a Keras in which some files of `keras/src` have changed."""
    copy = folder / "path"
    shutil.copytree(keras / "keras", copy / "keras", ignore=shutil.ignore_patterns("__pycache__", "*_test.py"))
    for name, replacements in changes.items():
        path = copy / "keras" / name
        text = path.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
    return copy


def miniature(folder: Path, *changes: tuple[str, str], version: str = "9.9.9") -> Pair:
    """A fit, an evaluate and a predict with an altered Keras in miniature."""
    files = {"__init__.py": [("3.15.1", version)], f"src/{TRAINER}": list(changes)}
    script = folder / "script.py"
    script.write_text("import keras\nmodel = keras.Model()\nprint(model.fit(3), model.evaluate(), model.predict())\n")
    pair = run_both(folder, [str(script)], altered(ENGINE, folder, files))
    assert pair.traced == pair.plain
    return pair


def notes(pair: Pair) -> list[str]:
    found = pair.trace.notes()
    assert set(found.kind) <= {"engine"}
    return list(found.message)


def test_a_known_version_needs_no_note(tmp_path: Path) -> None:
    pair = miniature(tmp_path, version="3.15.0")
    assert [note for note in notes(pair) if "is not among" in note] == []


def test_a_new_version_in_which_all_is_found_is_named(tmp_path: Path) -> None:
    pair = miniature(tmp_path)
    assert set(pair.fits.engine_version) == {"9.9.9"}
    assert any("9.9.9" in note for note in notes(pair))


def test_a_phase_that_is_not_found_is_named(tmp_path: Path) -> None:
    call = "logs = self.train_function(iterator)"
    pair = miniature(tmp_path, (call, "step = self.train_function; logs = step(iterator)"))
    (note,) = notes(pair)
    assert "9.9.9" in note and "a call of train_function in TensorFlowTrainer.fit" in note
    train = pair.trace.batches().query("stage == 'train'")
    assert len(train) == 3 and (train.function_ns == 0).all()


def test_a_loop_that_is_not_found_is_named(tmp_path: Path) -> None:
    loop = "for epoch in range(initial_epoch, epochs):"
    pair = miniature(tmp_path, (loop, "for turn in range(initial_epoch, epochs):\n            epoch = turn"))
    (note,) = notes(pair)
    assert "the loop over epoch" in note
    fit = pair.fits.iloc[0]
    spans = pair.trace.spans().query("fit == 0")
    assert fit.method == "fit" and "epoch" not in set(spans.phase)
    assert spans.self_ns.sum() == fit.duration_ns


def test_a_function_that_is_not_found_is_named(tmp_path: Path) -> None:
    pair = miniature(
        tmp_path, ("def predict(", "def foresee("), ("def predict_f", "predict = foresee\n    def predict_f")
    )
    (note,) = notes(pair)
    assert "TensorFlowTrainer.predict" in note
    assert list(pair.fits.method) == ["fit", "evaluate"]


def test_a_keras_whose_loop_is_elsewhere_runs_untraced_and_is_named(tmp_path: Path) -> None:
    path = altered(ENGINE, tmp_path, {"__init__.py": [("backend.tensorflow", "backend.other")]})
    (path / "keras/src/backend/tensorflow").rename(path / "keras/src/backend/other")
    script = tmp_path / "script.py"
    script.write_text("import keras\nprint(keras.Model().fit(3))\n")
    pair = run_both(tmp_path, [str(script)], path)
    assert pair.traced == pair.plain and pair.traced.returncode == 0
    (note,) = notes(pair)
    assert "nothing of it is traced" in note


def test_a_function_that_somebody_replaced_is_left_alone(tmp_path: Path) -> None:
    replaced = "exec('def fit(self, steps=3): return steps')"
    pair = miniature(tmp_path, ("def predict_f", replaced + "\n    def predict_f"))
    assert any("TensorFlowTrainer.fit as its source has it" in note for note in notes(pair))
    assert list(pair.fits.method) == ["evaluate", "predict"]


@pytest.mark.slow
def test_an_unknown_keras_traces_what_still_matches(tmp_path: Path) -> None:
    if not (KERAS / NEWEST).exists():
        pytest.skip(f"no Keras {NEWEST} here; `scripts/env matrix` gets it")
    call = "logs = self.train_function(iterator)"
    changes = {
        "src/version.py": [(f'"{NEWEST}"', '"9.9.9"')],
        f"src/{TRAINER}": [(call, call.replace("self.train_function", "(self.__dict__['train_function'])"))],
    }
    path = altered(KERAS / NEWEST, tmp_path, changes)
    pair = run_both(tmp_path, [str(PROGRAMS / "run_scenarios.py"), "changing_logs"], path)
    assert pair.traced.returncode == 0, pair.traced.stderr
    assert pair.plain.stdout == pair.traced.stdout
    (note,) = notes(pair)
    assert "keras 9.9.9" in note and "a call of train_function in TensorFlowTrainer.fit" in note
    oracle = pair.plain.seen["scenarios"]["changing_logs"]["oracle"]
    assert len(pair.trace.hooks()) == len(oracle)
    assert set(pair.fits.engine_version) == {"9.9.9"}
