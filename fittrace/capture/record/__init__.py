"""Records: what the probes call while the program trains, and what they append to the buffers."""
