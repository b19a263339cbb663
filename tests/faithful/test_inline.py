"""`with fittrace.trace()` records the fits in its block, and leaves nothing behind in the process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from engine_matrix import KERAS

import fittrace

from .conftest import NEWEST
from .processes import HERE, PROGRAMS, environ, finish, start, traced_command

ENGINE = HERE.parent / "crash" / "engine"
MINIATURE = """
import keras
from keras.src.callbacks.callback_list import CallbackList
FUNCTIONS = [keras.Model.fit, keras.Model.evaluate, CallbackList.on_epoch_end]
def fit(batches):
    keras.Model().fit(batches)
"""
REAL = """
import inspect
import keras
import numpy as np
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.callbacks.callback_list import CallbackList
FUNCTIONS = [inspect.unwrap(TensorFlowTrainer.fit), CallbackList.on_epoch_end]
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
def fit(batches):
    model.fit(np.ones((batches, 2)), np.ones(batches), batch_size=1, verbose=0)
"""


@dataclass(frozen=True)
class Inline:
    """What the program told of itself, and the runs that it left, by name."""

    told: dict[str, Any]
    stderr: str
    folder: Path


@pytest.fixture(scope="module")
def inline(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Inline]:
    @cache
    def run(real: bool = False, under_run: bool = False) -> Inline:
        folder = tmp_path_factory.mktemp("inline")
        (folder / "rooms.py").write_text(REAL if real else MINIATURE)
        command = [str(PROGRAMS / "inline.py"), str(folder / "own"), str(folder)]
        whole = traced_command(folder, command) if under_run else [sys.executable, *command]
        ended = finish(start(whole, environ(KERAS / NEWEST if real else ENGINE), folder))
        assert ended.returncode == 0, ended.stderr
        return Inline(json.loads(ended.stdout), ended.stderr, folder)

    return run


kinds = pytest.mark.parametrize("real", [False, pytest.param(True, marks=pytest.mark.slow)])


@kinds
def test_each_block_is_a_run_with_the_fits_in_it(inline: Callable[..., Inline], real: bool) -> None:
    told = inline(real).told
    batches = [list(fittrace.open(path).fits().batches) for path in told["paths"]]
    assert batches == [[10, 10], [20, 20]]


@kinds
def test_what_a_block_changed_is_put_back(inline: Callable[..., Inline], real: bool) -> None:
    told = inline(real).told
    assert told["after-1"] == told["after-2"] == told["before"]


@kinds
def test_source_and_threads_look_the_same_inside(inline: Callable[..., Inline], real: bool) -> None:
    told = inline(real).told
    assert told["inside-1"]["codes"] != told["before"]["codes"]
    for what in ("sources", "threads"):
        assert told["inside-1"][what] == told["inside-2"][what] == told["before"][what]


def test_a_block_in_a_block_joins_it(inline: Callable[..., Inline]) -> None:
    told = inline().told
    assert told["same-1"] and told["same-2"]


def test_what_the_block_raises_comes_out(inline: Callable[..., Inline]) -> None:
    assert inline().told["error"] == "'from the block'"


def test_nothing_is_said(inline: Callable[..., Inline]) -> None:
    assert inline().stderr == ""


def test_under_fittrace_run_blocks_join_the_run(inline: Callable[..., Inline]) -> None:
    joined = inline(under_run=True)
    assert set(joined.told["paths"]) == {str(joined.folder / "traces" / "run")}
    assert list(fittrace.open(joined.folder / "traces" / "run").fits().batches) == [1, 10, 10, 2, 20, 20, 3]
    assert not (joined.folder / "own").exists()
