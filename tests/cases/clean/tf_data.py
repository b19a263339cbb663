"""A dataset that is cached, shuffled, batched and prefetched, with one to validate on."""

from __future__ import annotations

import common
import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices(common.data(320)).cache().shuffle(320).batch(32).prefetch(2)
common.model().fit(data, epochs=4, verbose=0, validation_data=data.take(2))
