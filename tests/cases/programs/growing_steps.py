"""Steps whose time grows: a generator looks through all that it has ever yielded."""

import time

import common

x, y = common.data(160)


def growing():
    for number, batch in enumerate(common.batches(x, y, 8)):
        time.sleep(0.001 * number / 4)
        yield batch


common.model().fit_generator(growing(), steps_per_epoch=60, epochs=2, verbose=0, workers=0)
