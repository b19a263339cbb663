"""TensorFlow's messages about a batch, read without TensorFlow."""
