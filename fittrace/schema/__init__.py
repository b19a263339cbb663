"""The formats that capture writes and the store reads: the journal, the facts of a run, and the tables.

This package imports nothing from the rest of fittrace. Code inside the traced interpreter uses it too, so it keeps to
Python 3.7 and the standard library.
"""
