"""A function in the `map` of a dataset is slow, and nothing is prefetched."""

from __future__ import annotations

import time
from typing import Any

import common
import numpy as np
import tensorflow as tf


def slowly(index: Any) -> np.ndarray:
    time.sleep(0.005)
    return np.ones(7, "float32")


data = tf.data.Dataset.range(120).map(lambda index: tf.numpy_function(slowly, [index], tf.float32))
data = data.map(lambda row: (tf.ensure_shape(row[:6], (6,)), tf.ensure_shape(row[6:], (1,)))).batch(4)
common.model().fit(data, epochs=2, verbose=0)
