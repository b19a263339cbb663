"""A small convolutional network with dropout and batch normalisation."""

from __future__ import annotations

import common
import numpy as np

keras = common.keras
source = np.random.RandomState(1)
x, y = source.rand(256, 8, 8, 1).astype("float32"), source.randint(0, 3, 256)
model = keras.models.Sequential(
    [
        keras.layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=3, verbose=0, validation_split=0.25)
