"""Writes the summary of the reference trace into README.md."""

from __future__ import annotations

import io

import fittrace
from fittrace.views.summary import print_summary

from .places import README, TRACE

BEGIN, END = "<!-- summary -->\n", "<!-- end of the summary -->\n"
PHASES, HOOKS = 8, 5
"""Rows that README.md has room for, of the phases and of the slowest hooks."""


def main() -> None:
    README.write_text(with_summary(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{README}: the summary of {TRACE}")


def with_summary(document: str) -> str:
    """`document` with the summary between its markers."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README}: no place for the summary; put a line {BEGIN.strip()} and a line {END.strip()} in")
    return f"{before}{begin}\n```text\n{excerpt()}\n```\n\n{end}{after}"


def excerpt() -> str:
    """What `fittrace show` says of the reference trace, as far as README.md has room for it."""
    text = io.StringIO()
    print_summary(fittrace.open(TRACE), text)
    fit, phases, hooks, first_batch, *_, end = (
        [line.rstrip() for line in part.splitlines()] for part in text.getvalue().split("\n\n")
    )
    phases = [*phases[: PHASES + 1], "…", phases[-1]]
    hooks = [*hooks[: HOOKS + 1], "…"]
    return "\n\n".join("\n".join(part) for part in (fit, phases, hooks, first_batch, ["…"], end))


if __name__ == "__main__":
    main()
