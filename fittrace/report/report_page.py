"""The page of a trace in a Python program: shown in a notebook, or saved as a file."""

from __future__ import annotations

from html import escape
from os import PathLike
from pathlib import Path

from ..export.output_files import replaced
from ..schema.errors import FittraceError
from .html import page
from .model.document import Document

HEIGHT = "46rem"
"""Height of the page in a notebook. The page scrolls inside it."""


class ReportPage:
    """The page of a trace. A notebook shows it.

    - `html`: the page as a text of HTML.
    """

    def __init__(self, document: Document) -> None:
        self.html = page(document)
        self._title = document.title

    def save(self, path: str | PathLike[str], *, force: bool = False) -> Path:
        """Write the page to a file, whole or not at all. Returns its path.

        `force`: replace the file if it exists. Without it, raises `FittraceError` then.
        """
        output = Path(path)
        if output.exists() and not force:
            raise FittraceError(f"{output}: exists; give another file, or force=True to replace it")
        with replaced(output) as new:
            new.write_text(self.html, encoding="utf-8", newline="\n")
        return output

    def __repr__(self) -> str:
        return f"<ReportPage: {len(self.html) / 1e6:.1f} MB of HTML; save(path) writes it>"

    def _repr_html_(self) -> str:
        """The page in a frame of its own.

        The sandbox lets the page's scripts run, but gives them no access to the notebook. The page's own
        Content-Security-Policy holds in the frame too.
        """
        return (
            f'<iframe title="{escape(self._title)}" sandbox="allow-scripts" loading="lazy" '
            f'style="width:100%;height:{HEIGHT};border:1px solid #8888" srcdoc="{escape(self.html)}"></iframe>'
        )
