"""The streams of a GPU in a `RunMetadata`: how TensorFlow names their planes, and the events on them.

The names have changed twice. These are from TensorFlow's sources, and from recordings on GPUs:

- Before 1.14, a plane is `/device:GPU:0/stream:13`. An event is `op:Type`, a copy `edge_3_x:MEMCPYHtoD`
  (`core/platform/default/device_tracer.cc`).
- In 1.14 and 1.15, a plane is `/gpu:0 (Tesla V100)/context#0/stream#1:Kernel`. The device may have no name, and the
  stream may be the `null stream`. An event is `op:Type#id=7#` and the kernel, with `@@` or `::` between them, or the
  kernel alone (the same file, later).
- Since 2.2, a plane is `/device:GPU:0/stream:13`, for copies `/device:GPU:0/stream:14<MemcpyH2D>`. An event is
  `op:Type`, or the kernel if it belongs to no op, and its label begins with the kernel
  (`core/profiler/convert/xplane_to_step_stats.cc`). The profiler itself calls the stream `Stream #14(MemcpyH2D)`, with
  all kinds of events that ran on it.

Further planes repeat the events of all streams. The plane `/sync` has the time for which the host waited.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STREAM = re.compile(r"(?P<device>.*/device:\w+:\d+)/(?P<name>stream:\d*)(?:<(?P<copy>\w+)>)?")
_IN_A_CONTEXT = re.compile(r"/gpu:(?P<number>\d+)(?: \(.*\))?/(?P<name>context#\d+/(?:stream#\d+|null stream)(?::.*)?)")
_REPEATING = re.compile(r"(?P<device>.*/device:\w+:\d+)/(?:stream:all|memcpy(?::all)?)")
_SYNC = re.compile(r".*/device:\w+:\d+/sync")
_OF_THE_PROFILER = re.compile(r"Stream #(?P<number>\d+)(?:\(.*\))?")

_MARKS = ("@@", "::_Z", "::Memcpy")
"""Where two separating characters and a kernel or copy begin. Kernels have `::` in their names, so it is not enough."""
_DETAILS = " regs:"
"""What follows the kernel in a label."""


class Stream(NamedTuple):
    """A stream of a GPU.

    - `device`: its device.
    - `name`: its name on the device.
    - `copy`: the kind of copies on it; None: it has other events too.
    """

    device: str
    name: str
    copy: str | None


class StreamEvent(NamedTuple):
    """What ran on a stream. If it belongs to no op, the kernel stands for all three.

    - `name`, `type`: the name and the type of its op.
    - `kernel`: the kernel or copy.
    """

    name: str
    type: str
    kernel: str


def stream_of(plane: str) -> Stream | None:
    """The stream of a plane; None if the plane is not that of a stream.

    >>> stream_of("/device:GPU:0/stream:14<MemcpyH2D>")
    Stream(device='/device:GPU:0', name='stream:14', copy='MemcpyH2D')
    >>> stream_of("/gpu:1 (Tesla V100)/context#0/stream#1:Kernel")
    Stream(device='/device:GPU:1', name='context#0/stream#1:Kernel', copy=None)
    """
    if found := _STREAM.fullmatch(plane):
        return Stream(found["device"], found["name"], found["copy"])
    if found := _IN_A_CONTEXT.fullmatch(plane):
        return Stream(f"/device:GPU:{found['number']}", found["name"], None)
    return None


def repeated_by(plane: str) -> str | None:
    """The device whose streams' events a plane repeats; None if it repeats none."""
    repeating = _REPEATING.fullmatch(plane)
    return repeating["device"] if repeating else None


def tells_waiting(plane: str) -> bool:
    """Whether a plane has the time for which the host waited for its device."""
    return _SYNC.fullmatch(plane) is not None


def stream_named(line: str) -> str:
    """The name of a line of the profiler, for a stream the same as in a `RunMetadata`.

    >>> stream_named("Stream #14(MemcpyH2D)")
    'stream:14'
    """
    stream = _OF_THE_PROFILER.fullmatch(line)
    return f"stream:{stream['number']}" if stream else line


def ran(stream: Stream, name: str, label: str) -> StreamEvent:
    """What ran on a stream, from the event's name and label.

    >>> stream = Stream("/device:GPU:0", "stream:13", None)
    >>> ran(stream, "dense/MatMul:MatMul", "ampere_sgemm_32x32_nn regs:57 shm:4096 grid:1,1,1 block:128,1,1")
    StreamEvent(name='dense/MatMul', type='MatMul', kernel='ampere_sgemm_32x32_nn')
    >>> ran(stream, "edge_714_bn/FusedBatchNorm::MemcpyDtoH", "256 bytes")
    StreamEvent(name='edge_714_bn/FusedBatchNorm', type='MemcpyDtoH', kernel='MemcpyDtoH')
    """
    for mark in _MARKS:
        at = name.find(mark)
        if at > 0:
            return of_op(name[:at], name[at + 2 :])
    kernel = label.partition(_DETAILS)[0] if _DETAILS in label else stream.copy
    if kernel is not None:
        return StreamEvent(name, kernel, kernel) if name == kernel else of_op(name, kernel)
    # Before 1.14, the kernel is unknown, or stands in place of the type.
    before, colon, after = name.partition(":")
    return StreamEvent(before, after, after) if colon and not after.startswith(":") else StreamEvent(name, name, name)


def of_op(annotation: str, kernel: str) -> StreamEvent:
    """A kernel that ran for an op. `annotation` is `op`, `op:Type` or `op:Type#id=7#`.

    >>> of_op("dense/MatMul:MatMul", "ampere_sgemm_32x32_nn")
    StreamEvent(name='dense/MatMul', type='MatMul', kernel='ampere_sgemm_32x32_nn')
    """
    op = annotation.partition("#")[0] if annotation.endswith("#") else annotation
    name, _, kind = op.rpartition(":")
    return StreamEvent(name, kind, kernel) if name and kind.isidentifier() else StreamEvent(op, kernel, kernel)
