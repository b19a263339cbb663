"""Analysis: what the tables say about hooks and logs, as functions of DataFrames."""
