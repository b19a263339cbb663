"""The keys under which a journal says where the program called a fit.

A `values` record of the fit's own call has them, besides the one with its arguments. No variable has a dot in its name.
"""

CALLER_FILE = "caller.file"
CALLER_FUNCTION = "caller.function"
CALLER_LINE = "caller.line"
CALLER_KEYS = (CALLER_FILE, CALLER_FUNCTION, CALLER_LINE)
