"""The journal of a process: records are collected in the background, packed, and appended to a file."""
