from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import Any

from keras.src.callbacks.callback_list import CallbackList


class EpochIterator:
    """Batches whose number may not be known: then there is one turn more, in which fetching one raises."""

    def __init__(self, steps: int, is_known: bool = True) -> None:
        self.steps = steps
        self.is_known = is_known

    def __iter__(self) -> Iterator[tuple[int, int, Iterator[int]]]:
        for step in range(self.steps) if self.is_known else itertools.count():
            yield step, step, iter((step,) if step < self.steps else ())

    @contextlib.contextmanager
    def catch_stop_iteration(self) -> Iterator[None]:
        with contextlib.suppress(StopIteration):
            yield


class TensorFlowTrainer:
    def __init__(self, batch_s: float = 0.0, knows_steps: bool = True) -> None:
        self.batch_s = batch_s
        self.knows_steps = knows_steps
        self.stop_training = False

    def train_function(self, iterator: Iterator[int]) -> dict[str, float]:
        step = next(iterator)
        if self.batch_s:
            time.sleep(self.batch_s)
        return {"loss": 1.0 / (1 + step), "accuracy": step / (1 + step)}

    def test_function(self, iterator: Iterator[int]) -> dict[str, float]:
        return {"loss": 0.5 / (1 + next(iterator))}

    def _pythonify_logs(self, logs: dict[str, float]) -> dict[str, float]:
        return dict(logs)

    def fit(
        self,
        steps: int = 10,
        epochs: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        initial_epoch: int = 0,
    ) -> Any:
        epoch_iterator = EpochIterator(steps, self.knows_steps)
        callbacks = CallbackList(callbacks)
        training_logs = {}
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            callbacks.on_epoch_begin(epoch)
            with epoch_iterator.catch_stop_iteration():
                for begin_step, end_step, iterator in epoch_iterator:
                    callbacks.on_train_batch_begin(begin_step)
                    logs = self.train_function(iterator)
                    logs = self._pythonify_logs(logs)
                    callbacks.on_train_batch_end(end_step, logs)
                    if self.stop_training:
                        break
            training_logs = dict(logs)
            if validation_data is not None:
                val_logs = self.evaluate(validation_data, callbacks)
                training_logs.update({"val_" + name: value for name, value in val_logs.items()})
            callbacks.on_epoch_end(epoch, training_logs)
            if self.stop_training:
                break
        callbacks.on_train_end(logs=training_logs)
        return training_logs

    def evaluate(self, steps: int = 3, callbacks: Any = None) -> Any:
        epoch_iterator = EpochIterator(steps, self.knows_steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks)
        callbacks.on_test_begin()
        logs = {}
        with epoch_iterator.catch_stop_iteration():
            for begin_step, end_step, iterator in epoch_iterator:
                callbacks.on_test_batch_begin(begin_step)
                logs = self.test_function(iterator)
                callbacks.on_test_batch_end(end_step, logs)
        callbacks.on_test_end(logs)
        return logs

    def predict(self, steps: int = 3, callbacks: Any = None) -> Any:
        epoch_iterator = EpochIterator(steps)
        callbacks = CallbackList(callbacks)
        outputs = []
        for begin_step, end_step, iterator in epoch_iterator:
            batch_outputs = self.predict_function(iterator)
            outputs.append((begin_step, end_step, batch_outputs))
        return outputs

    def predict_function(self, iterator: Iterator[int]) -> int:
        return next(iterator)
