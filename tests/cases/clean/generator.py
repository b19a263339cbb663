"""A generator that never ends, with steps for training and validation."""

from __future__ import annotations

import common

keras = common.keras
x, y = common.data(320)
model = common.model()
arguments = {"steps_per_epoch": 8, "validation_steps": 2, "epochs": 3, "verbose": 0}
fit = model.fit if keras.__version__ >= "2.4" else model.fit_generator
fit(common.batches(x, y, 32), validation_data=common.batches(x[:64], y[:64], 32), **arguments)
