"""A generator that takes longer than the training, and one that stands still every 25 batches."""

import time

import common

x, y = common.data(800)


def slow(every, seconds):
    for number, batch in enumerate(common.batches(x, y, 8)):
        if number % every == every - 1:
            time.sleep(seconds)
        yield batch


for every, seconds in ((1, 0.01), (25, 0.2)):
    common.model().fit_generator(slow(every, seconds), steps_per_epoch=110, epochs=2, verbose=0, workers=0)
