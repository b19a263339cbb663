"""Reading journals: their definitions, records and orders, window by window."""
