"""Makes the pictures of the report's page in docs/, with Chromium.

The first shows a page of traces/reference-keras-3. The others show how a fault is found, in a new run of
docs/examples/slow_callback.py. With them the golden pictures of the tests are made anew, by `page_pictures`.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

import fittrace

from . import page_pictures

TRACE = Path("traces/reference-keras-3")
PROGRAM = Path("docs/examples/slow_callback.py")
PARTS = Path("fittrace/report/page")
PICTURE = Path("docs/report.png")
FAULT = {
    Path("docs/report-timeline.png"): ("timeline", ""),
    Path("docs/report-batch.png"): ("batch", "#fit=0&epoch=1&batch=49"),
    Path("docs/report-callbacks.png"): ("callbacks", ""),
}
"""The pictures of the fault: of which section of the page they are, and the end of the page's address."""
STAMP = "fittrace-page"
"""The key of the text chunk that says of which parts of the page a picture is."""
MOST_COLOURS = 128
"""Colours of a picture, which keep it small."""


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed; scripts/system-packages installs it")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        reference = fittrace.open(TRACE).report().save(Path(folder, "reference.html"))
        save(shot(browser, reference, None), PICTURE)
        # Redacted, so that the pictures do not show the host and the folders of who makes them.
        fault = fittrace.open(record(Path(folder))).report(redact=True).save(Path(folder, "fault.html"))
        for path, (section, fragment) in FAULT.items():
            save(shot(browser, fault, section, fragment), path)
        page_pictures.make_golden(browser, reference)
        browser.close()


def record(folder: Path) -> Path:
    """Run the program of the fault under capture. Returns its trace, which lies under `folder`."""
    options = ["--quiet", "--out", str(folder), "--name", "slow-callback"]
    subprocess.run([sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM)], check=True)
    return folder / "slow-callback"


def shot(browser: Any, page: Path, section: str | None, fragment: str = "") -> bytes:
    """A picture of a page as PNG.

    - `section`: the id of the section to show; None for what is in the window first.
    - `fragment`: the end of the page's address.
    """
    shown = browser.new_page(viewport={"width": 1100, "height": 1240}, color_scheme="light")
    shown.goto(page.resolve().as_uri() + fragment)
    shown.wait_for_selector("[data-ready]")
    # Charts are drawn in the next frames, when their width is known.
    shown.wait_for_timeout(500)
    picture = shown.locator(f"#{section}").screenshot() if section else shown.screenshot()
    shown.close()
    return bytes(picture)


def save(picture: bytes, path: Path) -> None:
    """Write a picture with few colours, and with the stamp of the page's parts."""
    text = PngInfo()
    text.add_text(STAMP, stamp())
    small = Image.open(io.BytesIO(picture)).convert("RGB").quantize(MOST_COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True, pnginfo=text)
    print(f"{path}: {path.stat().st_size:,} bytes")


def stamp() -> str:
    """A hash of the template, the style and the scripts of the page. It changes when the page may look different."""
    whole = hashlib.sha256()
    for part in sorted(PARTS.rglob("*")):
        if part.suffix in {".css", ".js", ".jinja"} and part.name != "display.html.jinja":
            whole.update(part.relative_to(PARTS).as_posix().encode() + b"\0" + part.read_bytes())
    return whole.hexdigest()


if __name__ == "__main__":
    main()
