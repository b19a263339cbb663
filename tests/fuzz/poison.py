"""Values that a hostile trace may hold: names that lead elsewhere, text that is obeyed, numbers at the edge."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

RAISED = "POISON"
"""A word that hostile code would call: it must never be a name in a generated program."""

BAIT = ("/etc/shells", "/dev/zero", "/proc/version")
"""Files that nothing but a link in a trace leads to: the sandbox notices who opens one."""

_TEXTS = (
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x9b31m",
    "a\rb\x08\x7f\x00",
    "line\nline\u2028line\u2029line",
    "\u202egnp.exe\u2066\u200f\u061c\ufeff\u200b",
    "[bold red]markup[/] [link=file:///etc/shells]x[/link]",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE fits; --",
    "\"); COPY (SELECT 1) TO 'x'; --",
    f"'''+{RAISED}()+'''",
    f'"""\n{RAISED}()\n"""',
    f"x\\\n{RAISED}()",
    f"{{{RAISED}.__class__.__init__.__globals__}}",
    f"__import__('os').system('{RAISED}')",
    '=HYPERLINK("http://127.0.0.1:9/")',
    "file:///etc/shells",
    "http://127.0.0.1:9/x",
    "é日本🙂",
    "%s%n{0}{x!r}",
    "",
    " ",
    "x" * 5000,
)
_NUMBERS = (0, -1, 1, 2**31, -(2**31), 2**53, 2**62, 2**63 - 1, -(2**63))
_FLOATS = (0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"))
_HOOKS = ("__init__", "__class__", "__del__", "__reduce__", "mro", "set_model", "delete", "on_x", "on_train_begin()")


def leading_elsewhere(random: Random, outside: Path) -> str:
    """A name that, taken for a path, leads out of the folder it is used in: some of them to `outside`."""
    return random.choice(
        (
            f"../../{outside.name}/written",
            "../written",
            "../../../../../../../../tmp/written",
            str(outside / "written"),
            f"{outside}/neighbour",
            "..",
            ".",
            "",
            "/",
            "a/b",
            "a\\..\\b",
            "nul\x00l",
            "new\nline",
            "~/written",
            "$HOME/written",
            "-rf",
            "CON",
            "x" * 300,
            "\ud800",
        )
    )


def text(random: Random, outside: Path) -> str:
    """A text that somebody might obey."""
    if random.random() < 0.3:
        return leading_elsewhere(random, outside).replace("\ud800", "?")
    if random.random() < 0.1:
        return random.choice(_HOOKS)
    return random.choice(_TEXTS)


def number(random: Random) -> int:
    """A whole number of 64 bits, most likely at the edge of some range."""
    return random.choice(_NUMBERS) if random.random() < 0.8 else random.randrange(-(2**63), 2**63)


def real(random: Random) -> float:
    """A float at the edge."""
    return random.choice(_FLOATS)


def anything(random: Random, outside: Path, depth: int = 0) -> Any:
    """A value of JSON of any type."""
    kind = random.randrange(9 if depth < 3 else 6)
    if kind < 3:
        return text(random, outside)
    if kind == 3:
        return number(random)
    if kind == 4:
        return random.choice((None, True, False, 1.5, 10**30))
    if kind == 5:
        return leading_elsewhere(random, outside)
    if kind == 6:
        return [anything(random, outside, depth + 1) for _ in range(random.randrange(4))]
    return {text(random, outside): anything(random, outside, depth + 1) for _ in range(random.randrange(3))}
