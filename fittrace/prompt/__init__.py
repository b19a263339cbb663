"""The prompt of a replay: pdb's words, and their reverses, on a fit that is over."""
