"""The training whose sampled batches are timed: the network of `workload`, on the engine that the argument names.

Python 3.7 and every Keras.
"""

import sys

import numpy as np

if sys.argv[1] == "tf-keras-v1":
    import tensorflow as tf

    tf.compat.v1.disable_v2_behavior()
if sys.argv[1].startswith("tf-keras"):
    import tf_keras as keras
else:
    import keras

random = np.random.RandomState(0)
x = random.normal(size=(int(sys.argv[2]) * 32, 20)).astype("float32")
y = np.eye(10, dtype="float32")[random.randint(0, 10, len(x))]
layers = [keras.layers.Dense(64, activation="relu", input_shape=(20,)), keras.layers.Dense(64, activation="relu")]
model = keras.models.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=32, epochs=1, verbose=0)
