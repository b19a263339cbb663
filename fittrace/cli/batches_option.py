"""The value of options that say which batches are sent."""

from __future__ import annotations

import argparse

from ..schema.sent_batches import SentBatches

HELP = "which batches: a number in a second, such as 10/s, or a ratio from 0 to 1"
"""What the option takes, for `--help`."""


def batches(text: str) -> SentBatches:
    """The batches that `text` selects. It is the `type` of an argparse option.

    >>> batches("0.1")
    SentBatches(ratio=0.1, period_ns=0)
    """
    try:
        return SentBatches.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
