"""The version of fittrace. It has a module of its own so that any part of the package can import it."""

__version__ = "0.1.0"
