"""Passes the recorded hooks of a fit on to other callbacks, without training."""
