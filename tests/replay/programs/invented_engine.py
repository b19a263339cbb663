"""An engine that no one has: small enough to know every step of it."""


def fit(model, data, epochs=2, validate=True):
    model.stop_training = False
    logs = fit_loop(model, data, epochs, validate)
    return logs


def fit_loop(model, data, epochs, validate):
    """Train, batch by batch."""
    callbacks = CallbackList(model.callbacks)
    for epoch in range(epochs):
        epoch_logs = {}
        for batch, rows in enumerate(data):
            logs = train(rows, epoch)
            callbacks.on_batch_end(batch, logs)
            if model.stop_training:
                break
            if batch == len(data) - 1:
                if validate:
                    epoch_logs.update(
                        größe=len(data),  # 数据的大小
                        val_loss=logs["loss"] + 1,
                    )
        callbacks.on_epoch_end(epoch, epoch_logs)
        if model.stop_training:
            break
    return epoch_logs


def train(rows, epoch):
	if not rows:
		raise ValueError("no rows")
	return {"loss": sum(rows) / (epoch + 1)}


class CallbackList:
    def __init__(self, callbacks):
        self.callbacks = callbacks

    def on_batch_end(self, batch, logs):
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs):
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)
