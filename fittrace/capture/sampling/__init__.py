"""Sampling: what TensorFlow tells of the ops of one batch."""
