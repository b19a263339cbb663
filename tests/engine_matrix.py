"""Which engines the tests train, in which version each, and where it lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parent.parent
KERAS = ROOT / ".keras"
"""Where `scripts/env matrix` and `scripts/legacy-env` put each version of Keras."""
LEGACY = ROOT / ".venv-keras2" / "bin" / "python"
"""Python 3.7 with TensorFlow 1.15 and Keras 2.2, which `scripts/legacy-env` makes."""


@dataclass(frozen=True)
class Engine:
    """An engine to test.

    `name`: what a trace calls it.
    `argument`: what the test's program calls it.
    `legacy`: it runs on `LEGACY`, not on this Python.
    `version`: it lies in `KERAS`; without, it is the one that its Python has installed.
    `compiled`: the compiled probes record it, not those in Python.
    """

    name: str
    argument: str
    legacy: bool = False
    version: str | None = None
    compiled: bool = True

    def __str__(self) -> str:
        name = f"{self.argument}-{self.version}" if self.version else self.argument
        return name if self.compiled else f"{name}, nothing compiled"

    @property
    def path(self) -> Path | None:
        """What goes on PYTHONPATH."""
        if self.version is None:
            return None
        return KERAS / (self.version if self.argument.startswith("keras") else f"tf_keras-{self.version}")

    @property
    def loops_over_arrays(self) -> bool:
        """Whether it slices arrays in Python, and tells the samples of a batch."""
        return self.name in ("keras-2.2", "tf-keras-v1")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return LEGACY if self.legacy else Path(sys.executable)

    def missing(self) -> str | None:
        """Why it cannot be tested here."""
        if self.legacy and not LEGACY.exists():
            return "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        if self.path is not None and not self.path.exists():
            return f"no {self.path.name} here; `scripts/env matrix` and `scripts/legacy-env` get it"
        return None


def require(engine: Engine) -> Engine:
    """`engine`, or skip the test with the reason where it is not here; in CI that is a failure."""
    absent = engine.missing()
    if absent is not None:
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    return engine


NEWEST = [
    Engine("keras-3", "keras-3"),
    Engine("tf-keras", "tf_keras"),
    Engine("tf-keras-v1", "tf_keras-v1"),
    Engine("keras-2.2", "keras", legacy=True),
    Engine("tf-keras-v1", "tf.keras", legacy=True),
]
"""Each engine in the version that its environment has installed."""

UNCOMPILED = Engine("keras-2.2", "keras", legacy=True, compiled=False)
OLDER_KERAS_2 = [
    Engine("keras-2.2", "keras", legacy=True, version=version) for version in ("2.0.9", "2.1.6", "2.2.5", "2.3.1")
]
OLDER_TF_KERAS = [Engine("tf-keras", "tf_keras", version=version) for version in ("2.16.0", "2.18.0", "2.20.1")]
OLDER_TF_KERAS_V1 = [Engine("tf-keras-v1", "tf_keras-v1", version=engine.version) for engine in OLDER_TF_KERAS]
OLDER_KERAS_3 = [Engine("keras-3", "keras-3", version=version) for version in ("3.3.3", "3.6.0", "3.10.0", "3.13.2")]

ALIKE = [*OLDER_TF_KERAS, *OLDER_TF_KERAS_V1, OLDER_KERAS_3[-1]]
"""The older versions whose phases all are where the newest has them, as docs/engines.md shows, which a test holds
current. To train each of them too is left to `scripts/test --full`."""


def marks(engine: Engine) -> list[pytest.MarkDecorator]:
    """The marks of a test that trains `engine`: it is slow, and left to the full run where the engine is `ALIKE`."""
    return [pytest.mark.slow, pytest.mark.full] if engine in ALIKE else [pytest.mark.slow]


def marked(engines: Iterable[Engine]) -> list[ParameterSet]:
    """`engines` as parameters of a test, with their marks."""
    return [pytest.param(engine, marks=marks(engine), id=str(engine)) for engine in engines]
