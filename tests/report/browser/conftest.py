"""A real browser that opens pages of reports, with no network."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fittrace.open_trace import Trace
from fittrace.report import Document, document, page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: see scripts/env")

expect = playwright.expect
"""Waits until the page is as it says. What follows a click or a key is seen with it: the page may still be at work."""

CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class PageOpener:
    """Opens pages in a browser.

    - `complaints`: requests for anything but the page's own file, messages of the console, errors of scripts,
      dialogs. A test that provokes some clears the list.
    """

    def __init__(self, browser: Any, folder: Path) -> None:
        self.complaints: list[str] = []
        self._browser = browser
        self._folder = folder
        self._opened: list[Any] = []

    def __call__(self, shown: str | Path | Trace | Document, fragment: str = "", **options: Any) -> Any:
        """Open the page of a trace or a document, and wait until it is ready.

        - `fragment`: the end of the address, such as `#fit=0`.
        - `options`: keywords of Playwright's `new_page`.
        """
        if isinstance(shown, (str, Path)):
            shown = Trace.open(shown)
        if isinstance(shown, Trace):
            shown = document(shown)
        file = self._folder / f"page-{len(self._opened)}.html"
        file.write_text(page(shown), "utf-8")
        return self.file(file, fragment, **options)

    def file(self, file: Path, fragment: str = "", **options: Any) -> Any:
        """Open a page that is written already, and wait until it is ready."""
        opened = self._browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        self._opened.append(opened)
        address = file.resolve().as_uri()
        opened.on("request", lambda request: self._check(request.url.startswith(address), f"asks for {request.url}"))
        opened.on("console", lambda message: self._check(False, f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: self._check(False, f"error: {error}"))
        opened.on("dialog", self._dismiss)
        opened.goto(address + fragment)
        opened.wait_for_selector("[data-ready]", timeout=20_000)
        return opened

    def close(self) -> None:
        for opened in self._opened:
            opened.close()

    def _dismiss(self, dialog: Any) -> None:
        self._check(False, f"opens a dialog: {dialog.message}")
        dialog.dismiss()

    def _check(self, fine: bool, complaint: str) -> None:
        if not fine:
            self.complaints.append(complaint)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One browser for all tests. In CI it must be there."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed; scripts/system-packages installs it")
        pytest.skip("chromium is not installed; scripts/system-packages installs it")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[PageOpener]:
    """Opens pages. When the test ends, it fails if there is a complaint."""
    opener = PageOpener(browser, tmp_path)
    yield opener
    opener.close()
    assert opener.complaints == []
