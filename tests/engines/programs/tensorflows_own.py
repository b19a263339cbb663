"""Reads with TensorFlow what fittrace gives of the run in the first argument, and what it exported into the second.

Prints as JSON what it found. In a process of its own, since importing TensorFlow changes the environment.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow as tf
from tensorflow.python.client.timeline import Timeline

import fittrace


def exported(file: Path) -> list[str]:
    """What the timeline shows of a file; that the profiler takes it too."""
    metadata = tf.compat.v1.RunMetadata.FromString(file.read_bytes())
    timeline = Timeline(metadata.step_stats).generate_chrome_trace_format(show_memory=True)
    build = tf.compat.v1.profiler.ProfileOptionBuilder
    options = build(build.time_and_memory()).with_empty_output().build()
    with tf.Graph().as_default() as graph:
        tf.compat.v1.placeholder(tf.float32, [2], name="x")
    tf.compat.v1.profiler.profile(graph, run_meta=metadata, options=options)
    return [str(event.get("args", {}).get("op")) for event in json.loads(timeline)["traceEvents"]]


trace = fittrace.open(sys.argv[1])
own = trace.run_metadata(fit=int(sys.argv[3]), epoch=1, batch=2)
nodes = [node for device in own.step_stats.dev_stats for node in device.node_stats]
print(
    json.dumps(
        {
            "exported": [exported(file) for file in sorted(Path(sys.argv[2]).iterdir())],
            "own": type(own) is tf.compat.v1.RunMetadata,
            "labels": [node.timeline_label for node in nodes],
            "starts": [node.all_start_micros for node in nodes],
        }
    )
)
