"""The verdict: what a fit was bound by, where its time went, and what to do about it. `docs/verdict.md` has the rules.

`figures` asks the tables, `spent` shares the time out among the bounds, and `judge` names the largest.
"""

from .bound import Bound
from .figures import FitFigures, figures_of
from .frame import with_verdicts
from .judge import Verdict, verdict

__all__ = ["Bound", "FitFigures", "Verdict", "figures_of", "verdict", "with_verdicts"]
