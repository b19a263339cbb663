"""The names of classes, read without running code of the program."""

from __future__ import annotations


def names_of(kind: type) -> tuple[str, str]:
    """The module and the name of a class. Its metaclass, which may be the program's, is not asked.

    >>> names_of(dict)
    ('builtins', 'dict')
    """
    module, name = (type.__dict__[key].__get__(kind) for key in ("__module__", "__name__"))
    return module if type(module) is str else "", name
