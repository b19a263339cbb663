"""The report: a trace as one HTML page, which opens from disk without a network.

- `model` gathers what the page shows, as plain data. Each of its modules is one section of the page.
- `packing` turns that data into one text of base64.
- `html` puts the data, the style and the scripts of `page/` into one file.
- `report_page` shows that page in a notebook, or saves it.
- `display` sums a trace up in a few lines of static HTML, for a notebook.

The page's own code is in `page/`: a template, a style sheet and plain JavaScript, each file for one section.
"""

from .display import display
from .html import page
from .model.document import Document, comparing_document, document
from .report_page import ReportPage

__all__ = ["Document", "ReportPage", "comparing_document", "display", "document", "page"]
