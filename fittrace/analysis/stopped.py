"""Values of a model's `stop_training` with which a training goes on."""

from __future__ import annotations

import pandas as pd

UNSET = ("False", "None", "0", "0.0")
"""These values, as the table `stops` writes them, stop nothing."""


def sets_stop(stops: pd.DataFrame) -> pd.Series:
    """For each row of `stops`, whether its value stops a training."""
    return ~stops["value"].astype(str).isin(UNSET)
