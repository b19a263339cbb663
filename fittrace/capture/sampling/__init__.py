"""Sampling: TensorFlow is asked what ran in some of the batches."""
