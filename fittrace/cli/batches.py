"""Which batches are sent, as a command line says it."""

from __future__ import annotations

import argparse

from ..schema.batches import Batches


def batches(text: str) -> Batches:
    """The batches that `text` tells, for argparse.

    >>> batches("0.1")
    Batches(ratio=0.1, period_ns=0)
    """
    try:
        return Batches.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
