"""The prompt of `fittrace replay`: the commands of pdb, and their reverses, on a fit that is over."""
