"""Rules: small functions over the tables of one fit that find known faults.

A rule of your own is a function with the decorator `rule`, in a file that `fittrace check --rules FILE` is told of.
"""

from .apply import Found, RuleOutcome, apply
from .epoch_mean_rules import BATCH_LOOP
from .hook_rules import HOOKS
from .log_key_rules import KEYS
from .log_value_rules import LOGS
from .rule import Finding, Rule, rule
from .stop_rules import STOPPING
from .time_rules import TIMING

RULES: tuple[Rule, ...] = (*HOOKS, *STOPPING, *KEYS, *LOGS, *BATCH_LOOP, *TIMING)
"""The rules that `fittrace check` knows."""

__all__ = ["RULES", "Finding", "Found", "Rule", "RuleOutcome", "apply", "rule"]
