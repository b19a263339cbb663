"""keras-team/keras#16526: an `evaluate` in a batch's hook, and the epoch's loss is that of what was evaluated."""

import common

x, y = common.data()


class Evaluator(common.Callback):
    def on_batch_end(self, batch, logs=None):
        if batch == 3:
            self.model.evaluate(x, y * 100, verbose=0)


common.model().fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[Evaluator()])
