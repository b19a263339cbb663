"""Hook patterns: a small language for the order of hook calls.

    on_train_begin
    each epoch (
        on_epoch_begin
        each batch (on_train_batch_begin on_train_batch_end)
        validation?
        on_epoch_end
    )
    on_train_end

| written | matches |
|---|---|
| `on_epoch_end` | one pass of the hook: its calls for all callbacks of the list |
| `EarlyStopping.on_epoch_end` | one call of that callback's hook |
| `any.on_epoch_end` | one call of any callback's hook |
| `a b` | `a`, then `b` |
| `(a \\| b)` | `a` or `b` |
| `a?` `a*` `a+` `a{3}` `a{2,}` `a{2,5}` | `a` repeated: at most once, any number, at least once, exactly 3, ... |
| `each epoch (...)` | one turn for each epoch: the hooks of a turn have one epoch, those of the next a later one |
| `each batch (...)` | the same for batches; `{3}` or `*` may follow both; without it there is at least one turn |
| `batches` | training batches: `each batch (on_train_batch_begin on_train_batch_end)`, or with Keras 2.2's names |
| `validation` | `on_test_begin`, its batches, `on_test_end` |
| `...` | any hooks, or none |
| `# text` | a comment, up to the end of the line |

`parse` reads a pattern, `match` compares it with the hook calls of a fit, and `described` writes the pattern of a fit.
"""

from .describe import described
from .elements import Pattern, PatternError
from .match import Mismatch, match
from .parse import parse

__all__ = ["Mismatch", "Pattern", "PatternError", "described", "match", "parse"]
