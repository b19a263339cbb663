"""A model is compiled with run_eagerly=True, left over from debugging."""

from __future__ import annotations

import common

keras = common.keras
layers = [keras.layers.Dense(16, activation="relu") for _ in range(8)]
model = keras.models.Sequential([keras.layers.Dense(16, input_shape=(6,)), *layers, keras.layers.Dense(1)])
model.compile("adam", "mse", run_eagerly=True)
model.fit(*common.data(1600), epochs=2, verbose=0)
