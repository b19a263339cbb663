"""The folder that is put on the path of a traced interpreter, which imports `sitecustomize` from it."""
