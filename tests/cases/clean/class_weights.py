"""Class weights and sample weights, and a progress bar."""

from __future__ import annotations

import common
import numpy as np

keras = common.keras
x, _ = common.data(320)
labels = (x.sum(1) > 3).astype("int32")
model = keras.models.Sequential([keras.layers.Dense(2, activation="softmax", input_shape=(6,))])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, labels, epochs=3, verbose=2, class_weight={0: 1.0, 1: 2.0}, validation_data=(x[:64].copy(), labels[:64]))
model.fit(x, labels, epochs=2, verbose=2, sample_weight=np.linspace(0.5, 1.5, len(x)))
