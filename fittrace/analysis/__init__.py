"""Analysis of a trace's tables. Each function takes DataFrames and returns DataFrames, text or findings."""
