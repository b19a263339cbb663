"""A fit, validated where the environment's `VALIDATED` says so."""

import os

import common

x, y = common.data()
more = {"validation_data": (x, y)} if "VALIDATED" in os.environ else {}
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, **more)
