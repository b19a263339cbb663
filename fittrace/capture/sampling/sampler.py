"""The sampler: gets from TensorFlow what it tells of the ops of one batch, for the batches that the user chose.

TensorFlow tells of ops in two ways:

- A session of TensorFlow 1 fills a `RunMetadata`, if its callable was made for that. A sampled batch gets a callable of
  its own, which the engine's own method makes; the one that the engine caches is never touched. The callable asks for
  what the executors tell, for which no profiler is needed.
- The profiler sees what runs through `tf.function`. It is borrowed for the batch (see `profiler`).
"""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Callable, NamedTuple, Sequence

from ...schema.batches_to_sample import Sampling
from ...schema.journal_format import ANCHOR, MetadataFormat
from ..isolation.clock import Clock
from ..journal.batch_metadata import BatchMetadata, MetadataQueue
from ..sites import Site
from .profiler import Profiler

_TRACEME = "tensorflow.python.profiler.internal._pywrap_traceme"
_MESSAGES = "tensorflow.core.protobuf.config_pb2"
_UNWATCHED = (
    "no ops: the program could come to TensorFlow's profiler by what fittrace does not know in this version: %s"
)


class SamplerContext(NamedTuple):
    """What the samplers of all threads share.

    - `chosen`: the batches that the user chose.
    - `head`: the head of the records that name a batch's metadata.
    - `sites`: every site, in the order of their numbers.
    - `metadata`: the queue for what TensorFlow tells of a batch.
    - `profiler`: TensorFlow's profiler.
    - `unwatched`: names the functions by which the program may take the profiler unseen; None where there are none.
    - `note`: takes a note for the reader of the trace: its kind and its text.
    - `fault`: takes a fault: where it happened, and the exception.
    - `plain`: gives an engine's function without its probes.
    """

    chosen: Sampling
    head: int
    sites: Sequence[Site]
    metadata: MetadataQueue
    profiler: Profiler
    unwatched: "Callable[[], str | None]"
    note: Callable[[str, str], None]
    fault: Callable[[str, BaseException], None]
    plain: Callable[[Any], Any]


class Sampler:
    """Samples the batches of one thread, whose records `record` appends. Nothing here raises.

    The gates in the engine's code (`sampling_gates`) look at the public attributes.
    """

    def __init__(self, context: SamplerContext, record: Callable[[Sequence[int]], None]) -> None:
        self.wants = False
        """Whether a batch to come may be sampled."""
        self.is_open = False
        """Whether a batch is being sampled."""
        self.callable: Any = None
        """What a session's call uses once it `takes` the batch, as it does `metadata`."""
        self.metadata: Any = None
        self.keywords: Any = None
        """What a session's `run` is given once it `runs` the batch."""
        self._context = context
        self._record = record
        self._taken = 0
        self._number = 0
        # Of the batch that is sampled: whether a session runs it, whether its call of the session has come, and
        # whether the profiler is ours.
        self._in_session = False
        self._is_met = False
        self._has_profiler = False
        # The `RunMetadata` that the session's call fills.
        self._filled: Any = None
        # Two times by which a reader aligns TensorFlow's clock; `journal_format` says which.
        self._moments = (0, 0)
        # The double of each callable that an engine caches. It lives as long as that one.
        self._doubles: Any = weakref.WeakKeyDictionary()

    def new_fit(self, root: int) -> None:
        """Count the batches anew, if the root that begins is a fit: only training is sampled.

        `root` is the head of the record that begins it.
        """
        if not self._context.chosen.is_off and self._context.sites[-root - 1].stage == "train":
            self._taken = 0
            self.wants = True

    def begin(self, aside: int, how: str, stage: object, epoch: int, batch: int, last: int) -> None:
        """Sample the batch that is about to run, if it was chosen.

        - `aside`: the head of the record that ends the open span. What follows is fittrace's time.
        - `how`: `session` or `profiler`, by which the ops are had.
        - `stage`: the batch's stage.
        - `epoch`: the number of the epoch.
        - `batch`: the number of the first batch that the function runs.
        - `last`: the number of the last one.
        """
        try:
            if stage != "train":
                return
            wanted = self._context.chosen.wants(self._taken, epoch, batch, last)
            self._taken += wanted
            self.wants = not self._context.chosen.is_over(self._taken, epoch, last)
            if not wanted:
                return
            self._record((aside, Clock.now_ns()))
            self._stop_profiler()  # it may still run for a batch that an interruption kept from ending
            self._filled, self._number = None, self._context.metadata.new_number()
            self._record((self._context.head, self._number))
            self._in_session, self._is_met = how == "session", False
            self.is_open = self._in_session or self._start_profiler()
        except BaseException as error:
            self._give_up()
            self._context.fault("beginning to sample a batch", error)

    def end(self, aside: int) -> None:
        """End the sampling: the batch's function has returned or raised. `aside` is as in `begin`."""
        try:
            self._record((aside, Clock.now_ns()))
            self.is_open = False
            if self._filled is not None:
                self._keep(MetadataFormat.RUN_METADATA, self._filled.SerializeToString())
            elif self._in_session and not self._is_met and sys.exc_info()[0] is None:
                self._context.note("run_metadata", "no ops of some batches: no session was called as fittrace knows it")
            self._stop_profiler()
        except BaseException as error:
            self._give_up()
            self._context.fault("sampling a batch", error)
        self.is_open = False
        self.callable = self.metadata = self.keywords = self._filled = None

    def _give_up(self) -> None:
        """Stop sampling the batch. The profiler may be ours already: a signal handler may raise at any point."""
        self.is_open = self._has_profiler = False
        self.callable = self.metadata = self.keywords = self._filled = None
        self._context.profiler.drop_own()

    def _keep(self, form: MetadataFormat, data: bytes) -> None:
        self._context.metadata.put(BatchMetadata(self._number, form, self._moments, data))

    def _start_profiler(self) -> bool:
        """Start a session of the profiler. Returns whether there is one."""
        if "tensorflow" not in sys.modules:
            return False  # Keras runs on another backend
        unwatched = self._context.unwatched()
        begun = Clock.now_ns()
        reason = self._context.profiler.take() if unwatched is None else _UNWATCHED % unwatched
        if reason is not None:
            self._context.note("run_metadata", reason)
            return False
        self._has_profiler = True
        self._moments = (begun, begun)
        if _TRACEME in sys.modules:
            # An event of our own at a known time, by which a reader aligns the profiler's clock with the process'.
            anchored = Clock.now_ns()
            sys.modules[_TRACEME].TraceMe(ANCHOR).Stop()
            self._moments = (begun, anchored)
        return True

    def _stop_profiler(self) -> None:
        """Stop the profiler, if it is ours, and keep its profile."""
        if not self._has_profiler:
            return
        self._has_profiler = False
        seen = self._context.profiler.let_go()
        if seen is not None:
            self._keep(MetadataFormat.PROFILE, seen)
        elif self._context.profiler.reason is not None:
            self._context.note("run_metadata", self._context.profiler.reason)

    def takes(self, function: Any, name: str, maker: str, arguments: tuple[Any, ...]) -> bool:
        """Whether the engine shall make its call of a session with our `callable` and `metadata`.

        - `function`: the engine's object that caches the callable.
        - `name`: the attribute in which it does.
        - `maker`: the method that made the callable.
        - `arguments`: the arguments of that method.
        """
        try:
            if not self._is_free(getattr(function, "run_metadata", None)):
                return False
            self.callable = self._double(function, name, maker, arguments)
            if self.callable is None:
                return False
            self._filled = self.metadata = sys.modules[_MESSAGES].RunMetadata()
            return True
        except Exception as error:
            self._context.fault("sampling a session's call", error)
            self._filled = None
            return False

    def runs(self, keywords: dict[str, Any]) -> bool:
        """Whether the engine shall call a session's `run` with our `keywords`; the argument has its own."""
        try:
            if not self._is_free(keywords.get("run_metadata")):
                return False
            options = _traced(keywords.get("options"))
            self._filled = sys.modules[_MESSAGES].RunMetadata()
            self.keywords = dict(keywords, options=options, run_metadata=self._filled)
            return True
        except Exception as error:
            self._context.fault("sampling a session's run", error)
            self._filled = None
            return False

    def _is_free(self, theirs: Any) -> bool:
        """Whether a session's call may fill a `RunMetadata` of ours. `theirs` is the program's own, or None."""
        if not self._in_session or self._filled is not None:
            return False
        self._is_met = True
        self._moments = (Clock.now_ns(), Clock.wall_ns())
        # A program that asks for metadata itself gets it as it would, and the trace keeps the same.
        self._filled = theirs
        return theirs is None

    def _double(self, function: Any, name: str, maker: str, arguments: tuple[Any, ...]) -> Any:
        """A callable like the one that `function` caches, but with tracing asked for; None where none can be made.

        The arguments are those of `takes`.
        """
        cached = getattr(function, name)
        double = self._doubles.get(cached)
        if double is not None:
            return double
        _, symbols, values, _ = arguments
        if any(symbol.dtype != value.dtype for symbol, value in zip(symbols, values)):
            # The engine would add a cast to the graph, and each op that is made later would get another name and seed.
            self._context.note("run_metadata", "no ops: the model is fed with tensors of another type than its inputs'")
            return None
        # The engine's method makes the callable for an object with the same attributes, in which it is then cached.
        stand_in = object.__new__(type(function))
        vars(stand_in).update(vars(function), run_options=_traced(function.run_options))
        make = getattr(type(function), maker)
        # Without probes: the trace shall not show this call as the engine's.
        types.MethodType(self._context.plain(make), stand_in)(*arguments)
        double = self._doubles[cached] = getattr(stand_in, name)
        return double


def _traced(options: Any) -> Any:
    """Run options for a session's call that ask for what the executors tell.

    `options` are the program's own, or None; all that they ask for stays. What the devices' tracers tell is not added:
    those belong to the profiler, and the call would fail while the program uses that.
    """
    messages = sys.modules[_MESSAGES]
    traced = messages.RunOptions()
    if options:
        traced.CopyFrom(options)
    traced.trace_level = max(traced.trace_level, messages.RunOptions.SOFTWARE_TRACE)
    return traced
