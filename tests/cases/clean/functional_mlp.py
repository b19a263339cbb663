"""A functional model with two inputs, validated on data of its own."""

from __future__ import annotations

import common

keras = common.keras
x, y = common.data(320)
first, second = (keras.layers.Input((3,)) for _ in range(2))
merged = keras.layers.Concatenate()([keras.layers.Dense(8, activation="relu")(given) for given in (first, second)])
model = keras.models.Model([first, second], keras.layers.Dense(1)(merged))
model.compile("adam", "mse", metrics=["mae"])
model.fit([x[:, :3], x[:, 3:]], y, epochs=4, verbose=0, validation_data=([x[:32, :3], x[:32, 3:]], y[:32]))
