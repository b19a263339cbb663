"""The report: a trace as one HTML page, which opens from disk without a network.

- `model` gathers what the page shows, as plain data. Each of its modules is one section of the page.
- `packing` turns that data into one text of base64.
- `html` puts the data, the style and the scripts of `page/` into one file.

The page's own code is in `page/`: a template, a style sheet and plain JavaScript, each file for one section.
"""

from .html import page
from .model.document import Document, comparing_document, document

__all__ = ["Document", "comparing_document", "document", "page"]
