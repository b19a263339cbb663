"""The names of Keras' hooks.

The set is closed: a trace may come from a stranger, so no other name in it is ever called or written into code.
"""

HOOKS = (
    *(
        "on_%s_%s" % (stage, when)
        for stage in ("train", "epoch", "batch", "test", "predict")
        for when in ("begin", "end")
    ),
    *("on_%s_batch_%s" % (stage, when) for stage in ("train", "test", "predict") for when in ("begin", "end")),
)  # type: tuple[str, ...]
"""All hooks. Keras up to 2.2 calls `on_batch_*`, later versions `on_train_batch_*`."""
