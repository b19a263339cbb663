"""The launcher puts this folder on the path of the traced interpreter, which imports `sitecustomize` from it."""
