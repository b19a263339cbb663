"""Pictures of whole pages of the report, small and in one font, as tests compare them.

`scripts/report-picture` makes them anew in `GOLDEN`. They are a quarter as wide as the page: what is left is where
things stand, and in which colours. How letters are smoothed is no longer seen.
"""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

from PIL import Image

GOLDEN = Path("tests/report/browser/golden")
TRACE = "traces/reference-keras-3"
SHOWN = "#fit=0&epoch=1&batch=3&step=4"
"""The end of the page's address: it opens a batch and a step."""
WIDTHS = (380, 800, 1280)
SCHEMES = ("light", "dark")
SMALLER = 4
"""How many pixels of the page, across and down, are one of the picture."""
STYLE = "* { font-family: 'DejaVu Sans' !important; } code, pre, pre * { font-family: 'DejaVu Sans Mono' !important; }"
"""One font for all machines."""
COLOURS = 256
"""Colours of a golden picture, which keep it small. An octree keeps rare ones, which the median cut does not."""


def golden(width: int, scheme: str) -> Path:
    """The file of the picture that a page of `width` pixels in a colour scheme, `light` or `dark`, is compared with."""
    return GOLDEN / f"{width}-{scheme}.png"


def picture(browser: Any, page: Path, width: int, scheme: str) -> Image.Image:
    """A picture of a page from top to bottom.

    - `browser`: Playwright's browser.
    - `page`: the page's file.
    - `width`: the width of the window, in pixels.
    - `scheme`: the colour scheme, `light` or `dark`.
    """
    shown = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    try:
        shown.goto(page.resolve().as_uri() + SHOWN)
        shown.wait_for_selector("[data-ready]")
        shown.add_style_tag(content=STYLE)
        shown.wait_for_selector("#replay [aria-current=step]")
        # Charts are drawn in the next frames, when their width is known.
        shown.wait_for_timeout(500)
        full = Image.open(io.BytesIO(shown.screenshot(full_page=True))).convert("RGB")
    finally:
        shown.close()
    return full.resize((full.width // SMALLER, full.height // SMALLER), Image.Resampling.BOX)


def make_golden(browser: Any, page: Path) -> None:
    """Make the golden pictures anew, of the page of `TRACE`."""
    GOLDEN.mkdir(exist_ok=True)
    for width, scheme in product(WIDTHS, SCHEMES):
        small = picture(browser, page, width, scheme).quantize(
            COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        small.save(golden(width, scheme), optimize=True)
        print(f"{golden(width, scheme)}: {golden(width, scheme).stat().st_size:,} bytes")
