"""Hook patterns: a small language that says in which order hooks are called.

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
| `on_epoch_end` | one pass of the hook through the list of callbacks, whatever callbacks it has |
| `EarlyStopping.on_epoch_end` | that callback's call, and no other's |
| `any.on_epoch_end` | one call of whatever callback |
| `a b` | `a`, then `b` |
| `(a \\| b)` | `a` or `b` |
| `a?` `a*` `a+` `a{3}` `a{2,}` `a{2,5}` | so many times: at most once, any, at least once, ... |
| `each epoch (...)` | one turn for each epoch: the hooks of a turn are of one epoch, the next turn's of a later one |
| `each batch (...)` | the same for batches; both take `{3}` or `*` behind them, and else mean at least one |
| `batches` | the training batches: `each batch` of `on_train_batch_begin on_train_batch_end`, or Keras 2.2's names |
| `validation` | `on_test_begin`, its batches, `on_test_end` |
| `...` | any hooks, or none |
| `# text` | a comment, up to the end of the line |

`parse` reads one, `match` tries it on the calls of a fit, and `described` writes the one that a fit followed.
"""

from .describe import described
from .elements import Pattern, PatternError
from .match import Mismatch, match
from .parse import parse

__all__ = ["Mismatch", "Pattern", "PatternError", "described", "match", "parse"]
