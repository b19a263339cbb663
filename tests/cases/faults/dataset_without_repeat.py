"""A dataset without repeat() and with steps_per_epoch: every second epoch is empty, and its loss is 0."""

from __future__ import annotations

import common
import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices(common.data(40)).batch(8)
common.model().fit(data, epochs=4, steps_per_epoch=5, verbose=0)
