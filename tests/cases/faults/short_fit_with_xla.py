"""A short fit with XLA is mostly its first batch, in which XLA compiles."""

from __future__ import annotations

import common

keras = common.keras
layers = [keras.layers.Dense(32, activation="relu") for _ in range(20)]
model = keras.models.Sequential([keras.layers.Dense(32, input_shape=(6,)), *layers, keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=True)
model.fit(*common.data(320), batch_size=16, epochs=3, verbose=0)
