"""A loss that is no number from the fourth batch of the first epoch on."""

import common

x, y = common.data()
y[24:32] = float("nan")
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
