"""keras-team/keras#13689: the key that a callback monitors is not in the logs. Keras 2.2 called it `val_acc`.

A ModelCheckpoint that saves each time asks for no key.
"""

import os
import tempfile

import common

callbacks = common.keras.callbacks
x, y = common.data()
with tempfile.TemporaryDirectory() as folder:
    # Keras 3 insists on the one name, Keras 2 writes whatever it is called.
    file = os.path.join(folder, "saved.weights.h5")
    saving = callbacks.ModelCheckpoint(file, monitor="val_nothing", mode="max", save_weights_only=True)
    stopping = callbacks.EarlyStopping(monitor="val_acc", mode="max", patience=5)
    model = common.model(metrics=["accuracy"])
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_data=(x.copy(), y), callbacks=[stopping, saving])
