"""keras-team/keras#13469: the val_loss of a generator is the loss of its last batch."""

import common

x, y = common.data()
common.model().fit_generator(
    common.batches(x, y, 8),
    steps_per_epoch=6,
    epochs=2,
    verbose=0,
    validation_data=common.batches(x, y, 8),
    validation_steps=4,
)
