"""The plugin is tested in this very process: importing Keras takes seconds, and once is enough."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

Pytest = Callable[..., pytest.RunResult]

MODEL = """
import keras
import numpy as np
import pytest

X, Y = np.ones((6, 3), "float32"), np.ones((6, 1), "float32")


@pytest.fixture(scope="module")
def model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Mine(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = 1.0


def fit(model, **more):
    model.fit(X, Y, **{"batch_size": 2, "epochs": 2, "verbose": 0, **more})
"""


@pytest.fixture(scope="session")
def imported() -> None:
    """What cannot be imported twice is imported before pytester begins: it forgets what is imported after."""
    import keras  # noqa: F401

    import fittrace.tables  # noqa: F401


@pytest.fixture
def run_tests(imported: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Pytest:
    """`run_tests(code, *options)`: run pytest on a module that has a model, a callback and `fit`, and this code."""
    # The pytest that is run is nobody's worker, whoever runs this one; libraries of snapshots write none in a worker.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(code: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=MODEL + textwrap.dedent(code))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run
