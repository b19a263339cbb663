"""A replay over an engine that no one has, whose steps come from `sys.settrace`; the clock is a counter."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

from fittrace.prompt.trace_names import TraceNames
from fittrace.replay.breakpoints import Breakpoint
from fittrace.replay.cursor import Replay
from fittrace.replay.step import Step

ENGINE = Path(__file__).parent / "programs" / "invented_engine.py"


class Callback:
    """Stops training at one batch of one epoch."""

    def __init__(self, model: Any, stop_at: tuple[int, ...] | None = None) -> None:
        self.model = model
        self.stop_at = stop_at
        self.epoch = 0

    def on_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        if (self.epoch, batch) == self.stop_at:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        self.epoch = epoch + 1


class Recording:
    """Runs a fit of the engine and writes down its steps."""

    def __init__(self, source: str) -> None:
        self.source = source
        tree = ast.parse(source)
        self.statements: dict[int, tuple[int, int, ast.stmt]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                if isinstance(node, (ast.If, ast.For, ast.While, ast.FunctionDef, ast.ClassDef)):
                    last = max(node.lineno, node.body[0].lineno - 1)
                else:
                    last = _end_line(node)
                for line in range(node.lineno, last + 1):
                    self.statements[line] = (node.lineno, last, node)
        self.steps: list[Step] = []
        self.frames: list[FrameType] = []
        self.pending: dict[FrameType, int] = {}

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != str(ENGINE):
            return None
        if event == "call":
            self.frames.append(frame)
        elif event == "line":
            self.line(frame)
        elif event == "return":
            self.settle(frame, None)
            self.frames.pop()
        return self.trace

    def settle(self, frame: FrameType, line: int | None) -> None:
        """Which arm the last branch in this frame took shows where the frame goes on."""
        index = self.pending.pop(frame, None)
        if index is not None:
            step = self.steps[index]
            assert step.line is not None
            node = self.statements[step.line][2]
            assert isinstance(node, (ast.If, ast.For))
            values = step.values | {"taken": node.body[0].lineno == line}
            self.steps[index] = replace(step, values=values)

    def line(self, frame: FrameType) -> None:
        first, last, node = self.statements[frame.f_lineno]
        self.settle(frame, first)
        names = {name: value for f in self.frames for name, value in f.f_locals.items()}
        values: dict[str, Any] = {}
        if isinstance(node, (ast.If, ast.For)):
            self.pending[frame] = len(self.steps)
        text = "\n".join(self.source.split("\n")[first - 1 : last])
        if "callback.on_" in text:
            values = {"hook": frame.f_code.co_name, "callback": "Callback", "position": 0}
            values |= {"logs_before": dict(names["logs"]), "logs": dict(names["logs"]), "changed": []}
        elif text.strip().startswith("model.stop"):
            values = {"stop_training": False}
        loop = next((f for f in self.frames if f.f_code.co_name == "fit_loop"), None)
        in_batch = loop is not None and 16 <= loop.f_lineno <= 25
        before = self.steps[-1] if self.steps else None
        if before is not None and before.line == first and not isinstance(node, ast.For):
            return  # a statement over several lines
        epoch = names.get("epoch") if loop is not None else None
        batch = names.get("batch") if in_batch else None
        clock = "(" in text
        now = 1000 * len(self.steps)
        self.steps.append(
            Step(
                index=len(self.steps),
                function=getattr(frame.f_code, "co_qualname", frame.f_code.co_name),
                file=str(ENGINE),
                line=first,
                end_line=last,
                source=text,
                phase="hooks" if "callback" in text else "batch" if batch is not None else "fit",
                depth=len(self.frames) - 1,
                epoch=epoch,
                batch=batch,
                stage="train",
                start_ns=now if clock else None,
                duration_ns=None,
                values=values,
            )
        )


def steps_of(
    epochs: int = 2, batches: int = 2, stop_at: tuple[int, ...] | None = None, validate: bool = True
) -> list[Step]:
    source = ENGINE.read_text(encoding="utf-8")
    recording = Recording(source)
    names: dict[str, Any] = {"__name__": "engine"}
    exec(compile(source, str(ENGINE), "exec"), names)
    model = SimpleNamespace(callbacks=[])
    model.callbacks.append(Callback(model, stop_at))
    data = [[float(number), number + 1.0] for number in range(batches)]
    before = sys.gettrace()
    sys.settrace(recording.trace)
    try:
        names["fit"](model, data, epochs, validate)
    finally:
        sys.settrace(before)
    steps = recording.steps
    for index, step in enumerate(steps):
        later = next((s.index for s in steps[index + 1 :] if s.depth <= step.depth), len(steps))
        if step.start_ns is not None:
            steps[index] = replace(step, duration_ns=1000 * later - step.start_ns)
    return steps


class Invented:
    """A replay over given steps."""

    def __init__(self, steps: list[Step], lines: list[str] | None = None) -> None:
        self.steps = steps
        self.lines = lines
        self.position = 0

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> Step:
        return self.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @property
    def current(self) -> Step:
        return self.steps[self.position]

    def _to(self, indices: range, wanted: Callable[[Step], bool]) -> Step | None:
        found = next((index for index in indices if wanted(self.steps[index])), None)
        if found is None:
            return None
        self.position = found
        return self.current

    def _ahead(self) -> range:
        return range(self.position + 1, len(self))

    def _behind(self) -> range:
        return range(self.position - 1, -1, -1)

    def forward(self) -> Step | None:
        return self._to(self._ahead(), lambda step: True)

    def back(self) -> Step | None:
        return self._to(self._behind(), lambda step: True)

    def over(self) -> Step | None:
        depth = self.current.depth
        return self._to(self._ahead(), lambda step: step.depth <= depth)

    def over_back(self) -> Step | None:
        depth = self.current.depth
        return self._to(self._behind(), lambda step: step.depth <= depth)

    def out(self) -> Step | None:
        depth = self.current.depth
        return self._to(self._ahead(), lambda step: step.depth < depth)

    def out_back(self) -> Step | None:
        depth = self.current.depth
        return self._to(self._behind(), lambda step: step.depth < depth)

    def goto(self, epoch: int, batch: int | None = None, stage: str | None = None) -> Step:
        wanted = (epoch,) if batch is None else (epoch, batch)
        found = self._to(range(len(self)), lambda step: (step.epoch, step.batch)[: len(wanted)] == wanted)
        if found is None:
            from fittrace import FittraceError

            raise FittraceError(f"no batch {batch} in epoch {epoch}; epochs 0-1 have batches 0-1")
        return found

    def find(self, where: Breakpoint, backwards: bool = False) -> Step | None:
        def wanted(step: Step) -> bool:
            before = self.steps[step.index - 1] if step.index else None
            enters = before is None or before.depth < step.depth
            return where.matches(step, enters, before is None or before.phase != step.phase)

        return self._to(self._behind() if backwards else self._ahead(), wanted)

    def stack(self) -> list[Step]:
        found = [self.current]
        for index in self._behind():
            if self.steps[index].depth < found[0].depth:
                found.insert(0, self.steps[index])
        return found

    def source_of(self, step: Step) -> list[str]:
        return self.lines or ENGINE.read_text(encoding="utf-8").split("\n")

    def function_lines(self, step: Step) -> tuple[int, int]:
        if self.lines:
            return 1, len(self.lines)
        tree = ast.parse(ENGINE.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        assert step.line is not None
        ranges = [(function.lineno, _end_line(function)) for function in functions]
        return max((first, last) for first, last in ranges if first <= step.line <= last)


def replay_of(steps: list[Step], lines: list[str] | None = None) -> Replay:
    """The same, as the replay for which the prompt takes it."""
    return cast(Replay, Invented(steps, lines))


def _end_line(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def names() -> TraceNames:
    """What a trace of it would know."""
    functions = ("fit", "fit_loop", "train", "CallbackList.on_batch_end", "CallbackList.on_epoch_end")
    return TraceNames(
        functions, (str(ENGINE),), ("on_batch_end", "on_epoch_end"), ("Callback",), ("epoch", "loss", "taken")
    )
