"""The sampler: gets from TensorFlow what it tells of the ops of one batch, for the batches that the user chose.

TensorFlow has two ways. A session fills a `RunMetadata`, if the callable was made for it: a sampled batch gets one of
its own, made by the engine's own method, and the one that the engine caches is never touched. It asks for what the
executors tell, which needs no profiler. What runs through `tf.function` is seen by the profiler, which is borrowed
(`profiler`).
"""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Callable, NamedTuple, Sequence

from ...schema.journal_format import ANCHOR, PROFILE, RUN_METADATA
from ...schema.sampled_batches import Sampling
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

    chosen: the batches that the user chose.
    head: begins a record that names a batch's metadata.
    sites: every site, in the order of their numbers.
    metadata: takes what TensorFlow told.
    profiler: TensorFlow's, which is borrowed.
    unwatched: names the ways to the profiler that the program may take without being seen, if there are some.
    note: says something, of a kind, to the reader of the trace.
    fault: takes what failed, and where.
    plain: gives an engine's function without probes.
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
        """What a session's call uses once it `takes` the batch; and so is `metadata`."""
        self.metadata: Any = None
        self.keywords: Any = None
        """What a session's `run` is given once it `runs` the batch."""
        self._context = context
        self._record = record
        self._taken = 0
        self._number = 0
        self._in_session = False
        self._is_met = False
        self._has_profiler = False
        # What the call of a session fills, once there is one.
        self._filled: Any = None
        self._moments = (0, 0)
        # A sampled callable lives as long as the engine's own, of which it is a double.
        self._doubles: Any = weakref.WeakKeyDictionary()

    def new_fit(self, root: int) -> None:
        """Count anew if it is a fit that begins, with a record of that head: only what trains is sampled."""
        if not self._context.chosen.is_off and self._context.sites[-root - 1].stage == "train":
            self._taken = 0
            self.wants = True

    def begin(self, aside: int, how: str, stage: object, epoch: int, batch: int, last: int) -> None:
        """Sample the batch that is about to run, if it is wanted. `aside` is the head that ends what is open."""
        try:
            if stage != "train":
                return
            wanted = self._context.chosen.wants(self._taken, epoch, batch, last)
            self._taken += wanted
            self.wants = not self._context.chosen.is_over(self._taken, epoch, last)
            if not wanted:
                return
            self._record((aside, Clock.now_ns()))
            self._stop_profiler()  # of a batch that was interrupted before it could end
            self._filled, self._number = None, self._context.metadata.new_number()
            self._record((self._context.head, self._number))
            self._in_session, self._is_met = how == "session", False
            self.is_open = self._in_session or self._start_profiler()
        except BaseException as error:
            self._give_up()
            self._context.fault("beginning to sample a batch", error)

    def end(self, aside: int) -> None:
        """The batch's function is over, one way or another."""
        try:
            self._record((aside, Clock.now_ns()))
            self.is_open = False
            if self._filled is not None:
                self._keep(RUN_METADATA, self._filled.SerializeToString())
            elif self._in_session and not self._is_met and sys.exc_info()[0] is None:
                self._context.note("run_metadata", "no ops of some batches: no session was called as fittrace knows it")
            self._stop_profiler()
        except BaseException as error:
            self._give_up()
            self._context.fault("sampling a batch", error)
        self.is_open = False
        self.callable = self.metadata = self.keywords = self._filled = None

    def _give_up(self) -> None:
        """Sample the batch no more. A signal's handler may have raised when the profiler was ours already."""
        self.is_open = self._has_profiler = False
        self.callable = self.metadata = self.keywords = self._filled = None
        self._context.profiler.drop_own()

    def _keep(self, form: int, data: bytes) -> None:
        self._context.metadata.put(BatchMetadata(self._number, form, self._moments, data))

    def _start_profiler(self) -> bool:
        """Start a session of the profiler; whether it is ours."""
        if "tensorflow" not in sys.modules:
            return False  # its backend is another
        unwatched = self._context.unwatched()
        begun = Clock.now_ns()
        reason = self._context.profiler.take() if unwatched is None else _UNWATCHED % unwatched
        if reason is not None:
            self._context.note("run_metadata", reason)
            return False
        self._has_profiler = True
        self._moments = (begun, begun)
        if _TRACEME in sys.modules:
            # An event of ours, which ties the profiler's clock to the process'.
            anchored = Clock.now_ns()
            sys.modules[_TRACEME].TraceMe(ANCHOR).Stop()
            self._moments = (begun, anchored)
        return True

    def _stop_profiler(self) -> None:
        """Take what the profiler saw, if it is ours."""
        if not self._has_profiler:
            return
        self._has_profiler = False
        seen = self._context.profiler.let_go()
        if seen is not None:
            self._keep(PROFILE, seen)
        elif self._context.profiler.reason is not None:
            self._context.note("run_metadata", self._context.profiler.reason)

    def takes(self, function: Any, name: str, maker: str, arguments: tuple[Any, ...]) -> bool:
        """Whether the call of a session that is about to be made is the sampled one, with `callable` and `metadata`.

        `function` caches its callable in its attribute `name`; its method `maker` made it of `arguments`.
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
        """The same where a session's `run` is called with `keywords`: the sampled call has those of the attribute."""
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
        """Whether a session's call may be the sampled one, with metadata of ours: there is none of `theirs`."""
        if not self._in_session or self._filled is not None:
            return False
        self._is_met = True
        self._moments = (Clock.now_ns(), Clock.wall_ns())
        # They asked for it themselves and get what they asked for; the trace has the same.
        self._filled = theirs
        return theirs is None

    def _double(self, function: Any, name: str, maker: str, arguments: tuple[Any, ...]) -> Any:
        """A callable like the one that `function` caches, but made to tell what it does."""
        cached = getattr(function, name)
        double = self._doubles.get(cached)
        if double is not None:
            return double
        _, symbols, values, _ = arguments
        if any(symbol.dtype != value.dtype for symbol, value in zip(symbols, values)):
            # The engine would put a cast into the graph, and every op made later would have another name and seed.
            self._context.note("run_metadata", "no ops: the model is fed with tensors of another type than its inputs'")
            return None
        stand_in = object.__new__(type(function))
        vars(stand_in).update(vars(function), run_options=_traced(function.run_options))
        make = getattr(type(function), maker)
        # Without probes: that it is made is no doing of the engine's.
        types.MethodType(self._context.plain(make), stand_in)(*arguments)
        double = self._doubles[cached] = getattr(stand_in, name)
        return double


def _traced(options: Any) -> Any:
    """The program's own `options` for a session's call, or none, with what the executors can tell asked for.

    What the devices' tracers tell is not: they are the profiler's, and the call would fail while the program uses it.
    """
    messages = sys.modules[_MESSAGES]
    traced = messages.RunOptions()
    if options:
        traced.CopyFrom(options)
    traced.trace_level = max(traced.trace_level, messages.RunOptions.SOFTWARE_TRACE)
    return traced
