"""A recurrent network on short sequences."""

from __future__ import annotations

import common
import numpy as np

keras = common.keras
x = np.random.RandomState(1).rand(128, 10, 4).astype("float32")
model = keras.models.Sequential([keras.layers.SimpleRNN(8, input_shape=(10, 4)), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, x.mean((1, 2)), epochs=3, verbose=0)
