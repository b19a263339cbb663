"""The key under which a journal says what two arguments of a fit have to do with each other.

It stands in the `values` record of the fit's arguments. No argument has a dot in its name.
"""

VALIDATION_IS_X = "validation_data.is_x"
"""The fit validates on its training data: its `validation_data` has the same object as `x`."""
