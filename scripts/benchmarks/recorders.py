"""What a recorder and a sampler are given where they are measured alone: nothing is sampled, and a fault ends it."""

from __future__ import annotations

from fittrace.capture.journal.batch_metadata import MetadataQueue
from fittrace.capture.journal.record_buffer import Buffer
from fittrace.capture.journal.sample_orders import OrderQueue
from fittrace.capture.record.log_inspector import LogInspector
from fittrace.capture.record.names import Names
from fittrace.capture.record.recorder import RecorderContext
from fittrace.capture.sampling.profiler import Profiler
from fittrace.capture.sampling.sampler import SamplerContext
from fittrace.schema.batches_to_sample import Sampling


def _fail(where: str, error: BaseException) -> None:
    raise AssertionError(where) from error


def sampler_context() -> SamplerContext:
    """That of a sampler for which no batch is chosen."""
    return SamplerContext(
        chosen=Sampling(),
        head=-1,
        sites=[],
        metadata=MetadataQueue(lambda message: None),
        profiler=Profiler(),
        unwatched=lambda: None,
        note=lambda kind, message: None,
        fault=_fail,
        plain=lambda function: function,
    )


def recorder_context(buffer: Buffer) -> RecorderContext:
    """That of a recorder all of whose threads append to `buffer`."""
    names = Names(lambda definition: None)
    return RecorderContext(
        names=names,
        inspector=LogInspector(names, _fail, lambda kind: None, lambda frame: None, state_head=-1, stop_head=-2),
        sampling=sampler_context(),
        fault=_fail,
        new_thread=lambda greenlet: (buffer, None),
        take_order=OrderQueue().take,
        ensure_started=lambda: None,
        meet_model=lambda kind: None,
        begin_root=lambda frame: None,
    )
