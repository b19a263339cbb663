"""The hooks of Keras, by name: a closed set, so that no other name in a trace is ever called or written into code."""

HOOKS = (
    *(
        "on_%s_%s" % (stage, when)
        for stage in ("train", "epoch", "batch", "test", "predict")
        for when in ("begin", "end")
    ),
    *("on_%s_batch_%s" % (stage, when) for stage in ("train", "test", "predict") for when in ("begin", "end")),
)  # type: tuple[str, ...]
"""Every hook that Keras has; `on_batch_begin` and `on_batch_end` are those of Keras 2.2 and older."""
