"""What `stop_training` is where it stops nothing."""

UNSET = ("False", "None", "0", "0.0")
"""What does not stop a training, as the trace writes it."""
