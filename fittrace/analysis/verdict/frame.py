"""The verdicts on all fits of a trace, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...tables import TraceTables
from ..fit_key import key_of
from .bound import Bound
from .figures import FitFigures, figures_of
from .judge import verdict

if TYPE_CHECKING:
    import pandas as pd


def with_verdicts(fits: pd.DataFrame, trace: TraceTables) -> pd.DataFrame:
    """`fits`, the table of a trace, with the columns `bound`, a category, and `bound_share`, from 0 to 1."""
    import pandas as pd

    figures = figures_of(trace)
    keys = fits[[name for name in ("run", "process", "fit") if name in fits]].to_dict("records")
    verdicts = [verdict(figures.get(key_of(key), FitFigures("fit"))) for key in keys]
    bounds = pd.Categorical([found.bound.value for found in verdicts], [bound.value for bound in Bound])
    columns: pd.DataFrame = fits.assign(bound=bounds, bound_share=[found.share for found in verdicts])
    return columns
