"""validation_split takes the last samples. Of sorted data these are a class that is never trained on."""

from __future__ import annotations

import common
import numpy as np

keras = common.keras
y = np.repeat(np.arange(4), 25)
x = np.eye(4)[y] + 0.1 * np.random.RandomState(1).rand(100, 4)
model = keras.models.Sequential([keras.layers.Dense(4, activation="softmax", input_shape=(4,))])
model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=5, batch_size=10, verbose=0, validation_split=0.25)
