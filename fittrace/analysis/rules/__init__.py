"""Rules: small functions that look for known faults in the tables of one fit.

To add a rule of your own, write a function with the decorator `rule` and give its file to `fittrace check --rules`.
"""

from .apply import Found, RuleOutcome, apply
from .call_rules import CALLS
from .epoch_mean_rules import BATCH_LOOP
from .hook_rules import HOOKS
from .log_key_rules import KEYS
from .log_value_rules import LOGS
from .rule import Finding, Rule, rule
from .stop_rules import STOPPING
from .time_rules import TIMING

RULES: tuple[Rule, ...] = (*HOOKS, *STOPPING, *KEYS, *LOGS, *BATCH_LOOP, *TIMING, *CALLS)
"""The rules that `fittrace check` applies."""

__all__ = ["RULES", "Finding", "Found", "Rule", "RuleOutcome", "apply", "rule"]
