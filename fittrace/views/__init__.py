"""How a trace is shown: summaries and tables for the terminal, and the formats that other programs read."""
