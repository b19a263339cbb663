"""LearningRateScheduler sets back the learning rate that ReduceLROnPlateau has lowered."""

from __future__ import annotations

import common

keras = common.keras
schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01)
plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.1, patience=2, min_delta=10.0)
common.model().fit(*common.data(), epochs=6, verbose=0, callbacks=[schedule, plateau])
