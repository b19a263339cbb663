"""Rules: small functions over the tables of one fit that find known faults.

A rule of your own is a function with the decorator `rule`, in a file that `fittrace check --rules FILE` is told of.
"""

from .apply import Found, Outcome, apply
from .batch_loop import BATCH_LOOP
from .hooks import HOOKS
from .keys import KEYS
from .logs import LOGS
from .model import Finding, Rule, rule
from .stopping import STOPPING
from .timing import TIMING

RULES: tuple[Rule, ...] = (*HOOKS, *STOPPING, *KEYS, *LOGS, *BATCH_LOOP, *TIMING)
"""The rules that `fittrace check` knows."""

__all__ = ["RULES", "Finding", "Found", "Outcome", "Rule", "apply", "rule"]
