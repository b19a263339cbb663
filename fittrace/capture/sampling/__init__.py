"""Sampling: asks TensorFlow for the ops of single batches."""
