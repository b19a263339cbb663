"""What TensorFlow tells of a batch: its messages are read without TensorFlow."""
