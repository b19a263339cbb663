"""Rules: small functions that look for known faults in the tables of one fit.

To add a rule of your own, write a function with the decorator `rule` and give its file to `fittrace check --rules`.
"""

from .apply import Found, RuleOutcome, apply
from .call_rules import CALLS
from .callback_list_rules import CALLBACK_LISTS
from .comparison_rules import COMPARISONS
from .data_end_rules import DATA_ENDS
from .epoch_mean_rules import BATCH_LOOP
from .epoch_time_rules import EPOCH_TIMES
from .hook_rules import HOOKS
from .log_key_rules import KEYS
from .log_value_rules import LOGS
from .memory_rules import MEMORY
from .rule import Finding, Rule, rule
from .saving_rules import SAVING
from .stop_rules import STOPPING
from .time_rules import TIMING

RULES: tuple[Rule, ...] = (
    *HOOKS,
    *STOPPING,
    *DATA_ENDS,
    *CALLBACK_LISTS,
    *KEYS,
    *LOGS,
    *SAVING,
    *COMPARISONS,
    *BATCH_LOOP,
    *TIMING,
    *EPOCH_TIMES,
    *MEMORY,
    *CALLS,
)
"""The rules that `fittrace check` applies."""

__all__ = ["RULES", "Finding", "Found", "Rule", "RuleOutcome", "apply", "rule"]
