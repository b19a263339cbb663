"""The page as one text of HTML: the template, the style, the scripts and the packed data."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..schema.safe_text import printable
from .model.document import Document
from .packing import pack

_STYLES = (
    "vendor/uplot/uPlot.min.css",
    "style.css",
    "overview.css",
    "timeline.css",
    "batch.css",
    "callbacks.css",
    "source.css",
    "replay.css",
    "ops.css",
    "differences.css",
)

_SCRIPTS = (
    "vendor/uplot/uPlot.iife.min.js",
    "unpack.js",
    "units.js",
    "elements.js",
    "selection.js",
    "callbacks.js",
    "pieces.js",
    "strip.js",
    "time_strip.js",
    "key_strip.js",
    "timeline_marks.js",
    "timeline_legend.js",
    "timeline_table.js",
    "timeline.js",
    "span_chart.js",
    "hook_logs.js",
    "batch.js",
    "steps.js",
    "source.js",
    "replay.js",
    "ops.js",
    "overview.js",
    "notes.js",
    "differences.js",
    "main.js",
)
"""The scripts in the order in which they run. A script uses only those before it, and `main.js` starts the page."""


def page(document: Document) -> str:
    """The HTML page that shows `document`.

    A strict Content-Security-Policy allows only the page's own styles and scripts, by their hashes. Nothing of a trace
    is in the HTML but the title, which the template escapes, and the packed data.
    """
    styles, scripts = _texts(_STYLES), _texts(_SCRIPTS)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=printable(document.title),
            policy=_policy(styles, scripts),
            styles=[Markup(style) for style in styles],
            scripts=[Markup(script) for script in scripts],
            data=pack(document),
        )
    )


def _policy(styles: list[str], scripts: list[str]) -> str:
    hashes = [" ".join(f"'sha256-{_hash(text)}'" for text in texts) for texts in (scripts, styles)]
    parts = (
        "default-src 'none'",
        f"script-src {hashes[0]}",
        f"style-src {hashes[1]}",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(parts)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    loader = PackageLoader("fittrace.report", "page")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _text(name: str) -> str:
    return (resources.files("fittrace.report") / "page" / name).read_text("utf-8")


def _texts(names: tuple[str, ...]) -> list[str]:
    return [_text(name) for name in names]
