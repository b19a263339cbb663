"""gradient_accumulation_steps with Adam is not what a larger batch is."""

from __future__ import annotations

import common

keras = common.keras
keras.utils.set_random_seed(1)
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(6,))])
model.compile(keras.optimizers.Adam(0.1, gradient_accumulation_steps=3), "mse")
model.fit(*common.data(), batch_size=4, epochs=5, shuffle=False, verbose=0)
