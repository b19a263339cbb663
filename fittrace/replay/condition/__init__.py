"""Conditions on recorded values, such as `loss > 2 and not stop_training`: `parser` reads, `evaluation` answers."""
