"""Which batches are sent, as a command line says it."""

from __future__ import annotations

import argparse

from ..schema.sent_batches import SentBatches

HELP = "of the batches a ratio, from 0 to 1, or so many in a second, as in 10/s"
"""What may be given."""


def batches(text: str) -> SentBatches:
    """The batches that `text` tells, for argparse.

    >>> batches("0.1")
    SentBatches(ratio=0.1, period_ns=0)
    """
    try:
        return SentBatches.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
