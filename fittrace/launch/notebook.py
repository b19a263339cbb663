"""The display at the end of a block that recorded a run in a notebook."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def displayed_at_end(shown: object) -> Iterator[None]:
    """Display `shown` when the block ends, also by an exception. Outside a notebook nothing happens."""
    try:
        yield
    finally:
        # The run is recorded, and the block's own exception matters more than a fault of the display.
        with suppress(Exception):
            _display(shown)


def _display(shown: object) -> None:
    # Where a kernel runs, IPython is imported already. Elsewhere it must not be.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    # IPython in a terminal has no kernel, and shows no HTML.
    if getattr(shell, "kernel", None) is None:
        return
    from IPython.display import display

    display(shown)  # type: ignore[no-untyped-call]
