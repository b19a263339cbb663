"""Recording: what the probes call while the program trains, and what they record."""
