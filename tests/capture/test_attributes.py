"""What is read of the engine's objects, and that no property of theirs is run."""

from __future__ import annotations

from typing import Any

import pytest

from fittrace.capture.record.attributes import number_at
from fittrace.schema.journal_format import ABSENT

from .test_kept_values import refuse


class Holder:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    prop = property(refuse)
    __getattr__ = refuse


PATHS = {"a": 3, "inner.b": 4} | dict.fromkeys(["prop", "none", "text", "minus", "a.b"], ABSENT)


@pytest.mark.parametrize("path", PATHS)
def test_numbers_are_read_from_instances_alone(path: str) -> None:
    holder = Holder(a=3, inner=Holder(b=4), text="5", minus=-1)
    assert number_at(holder, path) == PATHS[path]
