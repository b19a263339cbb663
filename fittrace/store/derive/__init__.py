"""Derivation: from the records of a journal to the rows of the tables."""
