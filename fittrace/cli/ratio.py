"""The ratio of batches, as a command line gives it."""

from __future__ import annotations

import argparse

from ..schema.otel import ratio_of


def ratio(text: str) -> float:
    """The ratio that `text` gives, for argparse.

    >>> ratio("0.1")
    0.1
    """
    try:
        return ratio_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
