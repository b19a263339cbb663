"""Driving: callbacks are called again with the logs that a run recorded."""
