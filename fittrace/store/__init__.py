"""The runs on disk, the only link between capture and the readers of traces."""
