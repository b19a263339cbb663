"""The program's ways to TensorFlow's profiler, of which a process has one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """A function of TensorFlow's that takes the profiler, now or later.

    `options` is the parameter on which it depends: run options, what holds them, or whether there will be some. Without
    it every call takes the profiler. `optional` is for what only some versions have.
    """

    module: str
    name: str
    options: str | None = None
    optional: bool = False

    def __str__(self) -> str:
        return "%s.%s" % (self.module, self.name)


_V1 = "tensorflow.python.eager.profiler"
_V2 = "tensorflow.python.profiler.profiler_v2"
_SESSION = "tensorflow.python.client.session"
_SERVER = "tensorflow.python.training.server_lib"
_CONTEXT = "tensorflow.python.eager.context"

WAYS = (
    # `Profile`, `tf.summary.trace_on(profiler=True)` and the callbacks of TensorBoard go through these.
    Way(_V2, "start"),
    Way(_V1, "start"),
    # A server takes requests for profiles, from anywhere and at any time.
    Way(_V2, "start_server"),
    Way(_V1, "start_profiler_server"),
    Way(_SERVER, "Server.__init__"),
    Way(_CONTEXT, "Context.set_server_def", optional=True),
    Way(_CONTEXT, "Context.enable_collective_ops", optional=True),
    # A session's call takes the profiler where its options ask for a trace of the hardware.
    Way(_SESSION, "BaseSession.run", options="options"),
    Way(_SESSION, "BaseSession.make_callable", options="accept_options"),
    Way(_SESSION, "BaseSession._Callable.__init__", options="callable_options"),
)
"""All ways that a program has through TensorFlow's Python functions."""

TAKES_PROFILER = 2
"""From this `RunOptions.trace_level` on (`HARDWARE_TRACE`) a session's call takes the profiler."""
