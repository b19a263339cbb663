"""What a page shows, as plain data: a module for each section. `document` puts them together.

`fittrace/report/page/document.d.ts` declares the same data for the scripts of the page.
"""
