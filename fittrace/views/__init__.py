"""Views of a trace: summaries and tables for a terminal, and row formats that other programs read."""
