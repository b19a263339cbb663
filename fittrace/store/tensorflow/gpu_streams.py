"""The streams of a GPU in a `RunMetadata`: what TensorFlow calls their planes, and what runs on them.

It has done so in three ways. From its sources, and from names that were recorded on GPUs:

- before 1.14 a plane is `/device:GPU:0/stream:13`; what runs there is called `op:Type`, a copy `edge_3_x:MEMCPYHtoD`
  (`core/platform/default/device_tracer.cc`);
- in 1.14 and 1.15 it is `/gpu:0 (Tesla V100)/context#0/stream#1:Kernel`, where the device may have no name and the
  stream be the `null stream`; what runs there is called `op:Type#id=7#` and the kernel, with `@@` or `::` between them,
  or the kernel alone (the same file, later);
- since 2.2 it is `/device:GPU:0/stream:13`, of copies `/device:GPU:0/stream:14<MemcpyH2D>`; what runs there is called
  `op:Type`, or the kernel where it is of no op, and its label begins with the kernel
  (`core/profiler/convert/xplane_to_step_stats.cc`). The profiler itself calls it `Stream #14(MemcpyH2D)`, with all that
  ran on it meanwhile.

Further planes repeat those of all streams. `/sync` tells how long the host waited.
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
"""Where a kernel begins, or a copy, after the name of an op and two signs. Names of kernels have colons themselves."""
_DETAILS = " regs:"


class Stream(NamedTuple):
    """A stream: the `device` it is of, its `name` there, and the kind of the copies on it, if it is of such."""

    device: str
    name: str
    copy: str | None


class StreamEvent(NamedTuple):
    """What ran on a stream: the `name` and the `type` of the op that it was for, and the `kernel` or copy; all the same
    where it was for none."""

    name: str
    type: str
    kernel: str


def stream_of(plane: str) -> Stream | None:
    """The stream that a plane is of, None where it is none of a stream's.

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
    """The device of which a plane repeats what is on those of its streams, None where it does not."""
    found = _REPEATING.fullmatch(plane)
    return found["device"] if found else None


def tells_waiting(plane: str) -> bool:
    """Whether a plane tells how long the host waited for its device."""
    return _SYNC.fullmatch(plane) is not None


def stream_named(line: str) -> str:
    """What a line of the profiler is called: a stream as in a `RunMetadata`, any other as it is.

    >>> stream_named("Stream #14(MemcpyH2D)")
    'stream:14'
    """
    found = _OF_THE_PROFILER.fullmatch(line)
    return f"stream:{found['number']}" if found else line


def ran(stream: Stream, name: str, label: str) -> StreamEvent:
    """What ran on a stream, by the name and the label that it has there.

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
    # Of the first way the kernel is not known, or stands where the type would.
    before, colon, after = name.partition(":")
    return StreamEvent(before, after, after) if colon and not after.startswith(":") else StreamEvent(name, name, name)


def of_op(annotation: str, kernel: str) -> StreamEvent:
    """What ran for the op in `op`, `op:Type` or `op:Type#id=7#`.

    >>> of_op("dense/MatMul:MatMul", "ampere_sgemm_32x32_nn")
    StreamEvent(name='dense/MatMul', type='MatMul', kernel='ampere_sgemm_32x32_nn')
    """
    op = annotation.partition("#")[0] if annotation.endswith("#") else annotation
    name, _, kind = op.rpartition(":")
    return StreamEvent(name, kind, kernel) if name and kind.isidentifier() else StreamEvent(op, kernel, kernel)
