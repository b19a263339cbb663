"""The value of options that say which batches are sent."""

from __future__ import annotations

import argparse

from ..schema.sent_batches import SentBatches

HELP = "of the batches a ratio, from 0 to 1, or so many in a second, as in 10/s"
"""Describes the value."""


def batches(text: str) -> SentBatches:
    """The batches that `text` selects. For argparse, which reports the error.

    >>> batches("0.1")
    SentBatches(ratio=0.1, period_ns=0)
    """
    try:
        return SentBatches.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
