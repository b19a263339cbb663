"""Starts the engine of a test: TensorFlow and Keras, on one thread and from one seed. Python 3.7 and every Keras."""

from __future__ import annotations

import random
from typing import Any

import numpy as np


def engine(name: str) -> tuple[Any, Any]:
    """The modules TensorFlow and Keras. `name` is the `argument` of an engine in `engine_matrix.py`."""
    import tensorflow as tf

    if tf.__version__ >= "2":
        # Several threads add floats up in an order of chance.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    if name == "tf_keras-v1":
        tf.compat.v1.disable_v2_behavior()
    if name.startswith("tf_keras"):
        import tf_keras as keras
    elif name == "tf.keras":
        from tensorflow import keras
    else:
        import keras
    if tf.executing_eagerly():
        keras.utils.set_random_seed(3)
    else:
        random.seed(3)
        np.random.seed(3)
        tf.compat.v1.set_random_seed(3)
    if tf.__version__ < "2":
        # TensorFlow 1 takes the number of threads from the session.
        one_thread = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        set_session = getattr(keras.backend, "set_session", None) or keras.backend.tensorflow_backend.set_session
        set_session(tf.compat.v1.Session(config=one_thread))
    return tf, keras
