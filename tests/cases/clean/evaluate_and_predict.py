"""Fit, evaluate, predict, once each on all data."""

from __future__ import annotations

import common

x, y = common.data(320)
model = common.model()
model.fit(x, y, epochs=3, verbose=0)
model.evaluate(x, y, verbose=0)
model.predict(x, verbose=0)
