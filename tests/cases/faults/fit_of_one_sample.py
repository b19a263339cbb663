"""A program calls fit and predict for one sample at a time. Nearly all of the time is overhead."""

from __future__ import annotations

import common

x, y = common.data()
model = common.model()
for index in range(48):
    model.predict(x[index : index + 1], verbose=0)
    model.fit(x[index : index + 1], y[index : index + 1], epochs=1, verbose=0)
