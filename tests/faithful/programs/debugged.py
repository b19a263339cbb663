"""What debuggers, coverage.py, `inspect` and tracebacks see of Keras' loop."""

from __future__ import annotations

import inspect
import os
import sys
import traceback
from types import FrameType
from typing import Any

import keras
from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
from keras.src.callbacks.callback_list import CallbackList
from witness import HOOKS, Script, network, rows

coverage: Any
try:
    import coverage
except ImportError:
    coverage = None

FILES = ("/backend/tensorflow/trainer.py", "/callbacks/callback_list.py", "/trainers/epoch_iterator.py")


def raising(script: Script) -> None:
    """A callback raises; the exception is the one that comes out, with the traceback that it would have."""

    def refuse(self: Any, number: int, logs: dict[str, Any]) -> None:
        script.seen["exc_info"] = [str(part) for part in sys.exc_info()]
        raise error

    for hook, filtering in [("on_train_batch_end", True), ("on_train_batch_end", False), ("on_test_begin", False)]:
        (keras.config.enable_traceback_filtering if filtering else keras.config.disable_traceback_filtering)()
        error = ValueError("no more", 3)
        try:
            methods: dict[str, Any] = {hook: refuse}
            callbacks = [script.witness(**methods)]
            script.fit(network(), *rows(), validation_data=rows(10), callbacks=callbacks)
        except ValueError as caught:
            frames = traceback.extract_tb(caught.__traceback__)
            places = [[one.filename, one.lineno, one.name, one.line, getattr(one, "colno", 0)] for one in frames]
            facts = [caught is error, repr(caught.__context__), repr(caught.__cause__), caught.__suppress_context__]
            text = traceback.format_exc()
            script.seen.setdefault("raised", []).append({"places": places, "facts": facts, "text": text})
    keras.config.enable_traceback_filtering()


def line_by_line(script: Script) -> None:
    """The lines of Keras' loop as a debugger is told of them."""
    lines = script.seen["lines"] = []

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        if event != "opcode":
            lines.append([event, frame.f_code.co_name, frame.f_lineno])
        return local

    model = network()
    callbacks = [script.witness()]
    sys.settrace(lambda frame, event, argument: local if frame.f_code.co_filename.endswith(FILES) else None)
    try:
        script.fit(model, *rows(), epochs=2, batch_size=32, validation_data=rows(10), callbacks=callbacks)
        script.call(model, "predict", rows()[0], verbose=0)
    finally:
        sys.settrace(None)


def covered(script: Script) -> None:
    """What coverage.py says of Keras' source, where it is installed."""
    model = network()
    if coverage is not None:
        measured = coverage.Coverage(data_file=None, branch=True, include=["*" + name for name in FILES])
        measured.start()
    script.fit(model, *rows(), epochs=2, batch_size=32, validation_data=rows(10), callbacks=[script.witness()])
    script.call(model, "evaluate", *rows(), verbose=0)
    if coverage is not None:
        measured.stop()
        data = measured.get_data()
        script.seen["covered"] = {os.path.basename(one): sorted(data.lines(one)) for one in data.measured_files()}
        script.seen["arcs"] = {os.path.basename(one): sorted(data.arcs(one)) for one in data.measured_files()}


def looked_at(script: Script) -> None:
    """What `inspect` and a function's code tell."""
    functions = [inspect.unwrap(getattr(TensorFlowTrainer, name)) for name in ("fit", "evaluate", "predict")]
    functions += [getattr(CallbackList, name) for name in HOOKS]
    facts = ("firstlineno", "filename", "name", "freevars", "cellvars", "varnames", "argcount", "flags", "nlocals")
    script.seen["code"] = {
        function.__qualname__: {
            "signature": str(inspect.signature(function)),
            "source": inspect.getsource(function),
            "about": [function.__module__, function.__doc__, repr(function.__defaults__), sorted(vars(function))],
            "code": {fact: getattr(function.__code__, "co_" + fact) for fact in facts},
        }
        for function in functions
    }
    script.seen["wrapped"] = [str(inspect.signature(getattr(TensorFlowTrainer, name))) for name in ("fit", "predict")]
