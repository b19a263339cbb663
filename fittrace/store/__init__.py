"""The runs on disk: the only door between capture and reading."""
