"""keras-team/keras#20382: hooks at a batch's end run in a thread pool."""

import common


class Quiet(common.Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass


x, y = common.data()
common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Quiet()])
