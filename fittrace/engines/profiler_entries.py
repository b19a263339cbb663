"""The functions by which a program starts TensorFlow's profiler.

A process has only one profiler, so fittrace has to yield it to the program.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """A function of TensorFlow that starts the profiler, at once or later.

    - `module`: the module that defines it.
    - `name`: its qualified name.
    - `options`: the parameter that decides: run options, an object that has them, or a flag that announces them. None:
      every call starts the profiler.
    - `optional`: whether some versions lack the function.
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
    # `Profile`, `tf.summary.trace_on(profiler=True)` and the callbacks of TensorBoard call these.
    Way(_V2, "start"),
    Way(_V1, "start"),
    # A server takes profiles on request of other processes, at any time.
    Way(_V2, "start_server"),
    Way(_V1, "start_profiler_server"),
    Way(_SERVER, "Server.__init__"),
    Way(_CONTEXT, "Context.set_server_def", optional=True),
    Way(_CONTEXT, "Context.enable_collective_ops", optional=True),
    # A session's call starts the profiler if its options ask for a trace of the hardware.
    Way(_SESSION, "BaseSession.run", options="options"),
    Way(_SESSION, "BaseSession.make_callable", options="accept_options"),
    Way(_SESSION, "BaseSession._Callable.__init__", options="callable_options"),
)
"""All Python functions of TensorFlow by which a program starts the profiler."""

TAKES_PROFILER = 2
"""A session's call starts the profiler from this `RunOptions.trace_level` on (`HARDWARE_TRACE`)."""
