"""A Keras in miniature: the loops, hooks and names that fittrace looks for, and next to no work in them.

It imports in no time and its batches take as long as a test wants, so that thousands of runs can be killed.
"""

from keras.src.backend.tensorflow.trainer import TensorFlowTrainer as Model
from keras.src.callbacks.callback_list import Callback, CallbackList

__version__ = "3.15.1"
__all__ = ["Callback", "CallbackList", "Model"]
