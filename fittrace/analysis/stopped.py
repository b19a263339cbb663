"""Values of a model's `stop_training` with which a training goes on."""

UNSET = ("False", "None", "0", "0.0")
"""These values, as the table `stops` writes them, stop nothing."""
