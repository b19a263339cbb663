"""The story of a run that goes on as plain lines, for output that is no terminal: a line for each epoch."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.units import duration
from ..schema.safe_text import printable
from .watch_figures import WatchFigures, rate, remaining_ns


class WatchLines:
    """Makes the lines that are new. It remembers which epochs and findings it has told."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}
        self._told: set[tuple[int, str]] = set()

    def new(self, figures: WatchFigures) -> Iterator[str]:
        """The lines for what is new in `figures`.

        Where several epochs have ended since the last call, the last of them has a line.
        """
        fit = figures.fit
        if fit is None:
            return
        if fit.epochs > self._epochs.get(fit.number, 0):
            self._epochs = {fit.number: fit.epochs}
            epochs = fit.arguments.get("epochs")
            ended = fit.epochs + int(fit.arguments.get("initial_epoch", 0))
            parts = [f"fit {fit.number} epoch {ended}" + (f"/{int(epochs)}" if epochs else "")]
            if fit.epoch_ns:
                parts.append(duration(fit.epoch_ns[-1]))
            per_second, left = rate(fit), remaining_ns(fit)
            if per_second is not None:
                parts.append(f"{per_second:.3g} batches/s")
            if left is not None:
                parts.append(f"{duration(left)} remaining")
            parts += [f"{printable(key)} {value:.5g}" for key, value in fit.epoch_logs.items()]
            yield ", ".join(parts)
        for finding in figures.findings:
            # The numbers in a finding change while it stays the same, so its first words tell it from others.
            key = (fit.number, " ".join(finding.split(" ")[:2]))
            if key not in self._told:
                self._told.add(key)
                yield f"! {finding}"
